//! What can be told of a condition before anything is measured: that it adds a number to a text, that a function is
//! given what it can't take, that it gives a number where true or false is wanted.

use super::mistake::Wrong;
use super::names::{BUILTINS, Kind, METHODS, PREDICATES, Predicate, signature};
use super::tree::{Arithmetic, Expr, Item, Key, Node};
use super::value::Value;

type Checked = Result<Kind, Wrong>;

/// Whether the condition can be true or false as far as its text tells.
pub(super) fn check(condition: &Node) -> Result<(), Wrong> {
    let kind = Checker { variables: Vec::new() }.kind(condition)?;
    if Kind::Bool.takes(kind) && kind != Kind::Nil {
        return Ok(());
    }
    let message = format!("this condition gives {} and has to give true or false", kind.named());
    Err(Wrong::with(condition.at(), message, "compare it with something"))
}

/// The kind that an expression has whatever is measured. It is asked where values of different kinds are compared:
/// the language calls that a mistake if it could have known.
pub(super) fn known_kind(node: &Node) -> Kind {
    match &node.expr {
        Expr::Constant(value) => of(value),
        Expr::Not(_)
        | Expr::All(_)
        | Expr::Any(_)
        | Expr::Ordered { .. }
        | Expr::Equal { .. }
        | Expr::In(_)
        | Expr::TextTest(..)
        | Expr::Matches { .. } => Kind::Bool,
        Expr::Range(_) | Expr::Array(_) => Kind::Array,
        Expr::Map(_) => Kind::Map,
        Expr::Call(builtin, _) => signature(&BUILTINS, *builtin).map_or(Kind::Any, |known| known.gives),
        Expr::Method { method, .. } => signature(&METHODS, *method).map_or(Kind::Any, |known| known.gives),
        Expr::Each { predicate, .. } => gives(*predicate),
        Expr::Arithmetic(Arithmetic::Divide | Arithmetic::Power, _) => Kind::Float,
        Expr::Item(Item::Index) | Expr::Arithmetic(Arithmetic::Remainder, _) => Kind::Int,
        Expr::Arithmetic(..)
        | Expr::Item(_)
        | Expr::Result
        | Expr::Variable(_)
        | Expr::Sign { .. }
        | Expr::Coalesce(_)
        | Expr::Conditional(_)
        | Expr::Otherwise(_)
        | Expr::Member { .. }
        | Expr::Chain(_)
        | Expr::Slice { .. }
        | Expr::Let(_)
        | Expr::Sequence(_) => Kind::Any,
    }
}

fn of(value: &Value) -> Kind {
    match value {
        Value::Nil => Kind::Nil,
        Value::Bool(_) => Kind::Bool,
        Value::Int(_) => Kind::Int,
        Value::Float(_) => Kind::Float,
        Value::Text(_) => Kind::Text,
        Value::Array(_) => Kind::Array,
        Value::Map(_) => Kind::Map,
        Value::Duration(_) => Kind::Duration,
        Value::Date(_) => Kind::Date,
    }
}

fn gives(predicate: Predicate) -> Kind {
    PREDICATES.iter().find(|(_, known, _)| *known == predicate).map_or(Kind::Any, |(.., gives)| *gives)
}

struct Checker {
    variables: Vec<Kind>,
}

impl Checker {
    fn kind(&mut self, node: &Node) -> Checked {
        match &node.expr {
            Expr::Constant(_) | Expr::Result | Expr::Item(_) => {}
            Expr::Variable(number) => return Ok(self.variables.get(*number).copied().unwrap_or(Kind::Any)),
            Expr::Not(of) => return self.wants(of, Kind::Bool, "! and not want").map(|_| Kind::Bool),
            Expr::All(operands) | Expr::Any(operands) => {
                operands
                    .iter()
                    .try_for_each(|operand| self.wants(operand, Kind::Bool, "&& and || want").map(|_| ()))?;
            }
            Expr::Sign { of, .. } => return self.wants(of, Kind::Number, "a sign wants"),
            Expr::Ordered { operands, orders } => return self.ordered(node, operands, orders),
            Expr::Equal { operands, .. } => return self.equal(node, operands),
            Expr::Arithmetic(arithmetic, operands) => return self.arithmetic(node, *arithmetic, operands),
            Expr::In(operands) => {
                self.kind(&operands[0])?;
                let kind = self.kind(&operands[1])?;
                if kind.is_number() || matches!(kind, Kind::Bool | Kind::Duration | Kind::Date | Kind::Text) {
                    let message = format!("in looks into an array or a map, not into {}", kind.named());
                    return Err(Wrong::with(operands[1].at(), message, "texts have contains"));
                }
            }
            Expr::TextTest(_, operands) => self.both(operands, Kind::Text, "tests of texts want")?,
            Expr::Matches { operands, .. } => self.both(operands, Kind::Text, "matches wants")?,
            Expr::Range(operands) => self.both(operands, Kind::Int, "a range wants")?,
            Expr::Coalesce(_)
            | Expr::Conditional(_)
            | Expr::Otherwise(_)
            | Expr::Slice { .. }
            | Expr::Let(_)
            | Expr::Sequence(_) => {
                return self.kind_within(node);
            }
            Expr::Member { of, key, .. } => {
                self.looked_into(of)?;
                if let Key::Computed(key) = key {
                    self.kind(key)?;
                }
            }
            Expr::Chain(inner) => {
                self.kind(inner)?;
            }
            Expr::Array(items) => items.iter().try_for_each(|item| self.kind(item).map(|_| ()))?,
            Expr::Map(entries) => {
                entries.iter().try_for_each(|(key, value)| self.kind(key).and(self.kind(value)).map(|_| ()))?;
            }
            Expr::Call(builtin, arguments) => {
                if let Some(known) = signature(&BUILTINS, *builtin) {
                    self.arguments(known.name, known.takes, arguments)?;
                }
            }
            Expr::Method { of, method, arguments, .. } => {
                self.kind(of)?;
                if let Some(known) = signature(&METHODS, *method) {
                    self.arguments(known.name, known.takes, arguments)?;
                }
            }
            Expr::Each { predicate, over, body, extra } => return self.each(*predicate, over, body, extra),
        }
        Ok(known_kind(node))
    }

    /// Of expressions that have the kind of a part of theirs.
    fn kind_within(&mut self, node: &Node) -> Checked {
        match &node.expr {
            Expr::Coalesce(operands) => {
                let (left, right) = (self.kind(&operands[0])?, self.kind(&operands[1])?);
                Ok(if left == right { left } else { Kind::Any })
            }
            Expr::Conditional(parts) => {
                self.wants(&parts[0], Kind::Bool, "? and if want")?;
                let (then, otherwise) = (self.kind(&parts[1])?, self.kind(&parts[2])?);
                Ok(if then == otherwise { then } else { Kind::Any })
            }
            Expr::Otherwise(parts) => {
                self.wants(&parts[0], Kind::Bool, "?: wants")?;
                let otherwise = self.kind(&parts[1])?;
                Ok(if otherwise == Kind::Bool { otherwise } else { Kind::Any })
            }
            Expr::Slice { of, from, to } => {
                let kind = self.looked_into(of)?;
                for side in [from, to].into_iter().flatten() {
                    self.wants(side, Kind::Number, "a slice wants")?;
                }
                Ok(kind)
            }
            Expr::Let(parts) => {
                let value = self.kind(&parts[0])?;
                self.variables.push(value);
                let kind = self.kind(&parts[1])?;
                self.variables.pop();
                Ok(kind)
            }
            Expr::Sequence(nodes) => {
                let kinds = nodes.iter().map(|node| self.kind(node)).collect::<Result<Vec<_>, _>>()?;
                Ok(kinds.last().copied().unwrap_or(Kind::Any))
            }
            _ => Ok(Kind::Any),
        }
    }

    fn wants(&mut self, node: &Node, wanted: Kind, who: &str) -> Checked {
        let kind = self.kind(node)?;
        if wanted.takes(kind) {
            return Ok(kind);
        }
        Err(Wrong::new(node.at(), format!("{who} {}, and this is {}", wanted.named(), kind.named())))
    }

    fn both(&mut self, operands: &[Node; 2], wanted: Kind, who: &str) -> Result<(), Wrong> {
        operands.iter().try_for_each(|operand| self.wants(operand, wanted, who).map(|_| ()))
    }

    fn looked_into(&mut self, of: &Node) -> Checked {
        let kind = self.kind(of)?;
        if matches!(kind, Kind::Any | Kind::Nil | Kind::Array | Kind::Map | Kind::Text) {
            return Ok(kind);
        }
        Err(Wrong::new(of.at(), format!("{} has neither members nor elements", kind.named())))
    }

    fn arguments(&mut self, name: &str, takes: &[Kind], arguments: &[Node]) -> Result<(), Wrong> {
        let last = takes.last().copied().unwrap_or(Kind::Any);
        for (nth, argument) in arguments.iter().enumerate() {
            self.wants(argument, takes.get(nth).copied().unwrap_or(last), &format!("{name} wants"))?;
        }
        Ok(())
    }

    fn ordered(&mut self, node: &Node, operands: &[Node], orders: &[super::tree::Order]) -> Checked {
        let kinds = operands.iter().map(|operand| self.kind(operand)).collect::<Result<Vec<_>, _>>()?;
        for (pair, order) in kinds.windows(2).zip(orders) {
            let orderable = |kind: Kind| !matches!(kind, Kind::Bool | Kind::Array | Kind::Map);
            if !pair.iter().all(|kind| orderable(*kind)) || !comparable(pair[0], pair[1]) {
                return Err(incomparable(node, order.sign(), pair[0], pair[1]));
            }
        }
        Ok(Kind::Bool)
    }

    fn equal(&mut self, node: &Node, operands: &[Node; 2]) -> Checked {
        let (left, right) = (self.kind(&operands[0])?, self.kind(&operands[1])?);
        if comparable(left, right) { Ok(Kind::Bool) } else { Err(incomparable(node, "==", left, right)) }
    }

    fn arithmetic(&mut self, node: &Node, arithmetic: Arithmetic, operands: &[Node; 2]) -> Checked {
        let (left, right) = (self.kind(&operands[0])?, self.kind(&operands[1])?);
        let open = |kind: Kind| matches!(kind, Kind::Any | Kind::Nil);
        let numeric = |kind: Kind| open(kind) || kind.is_number();
        let whole = |kind: Kind| numeric(kind) && kind != Kind::Float;
        let numbers = if left == Kind::Int && right == Kind::Int { Kind::Int } else { Kind::Number };
        let mismatch = || incomparable(node, arithmetic.sign(), left, right);
        if arithmetic == Arithmetic::Remainder && whole(left) && whole(right) {
            return Ok(Kind::Int);
        }
        if matches!(arithmetic, Arithmetic::Divide | Arithmetic::Power) && numeric(left) && numeric(right) {
            return Ok(Kind::Float);
        }
        if matches!(arithmetic, Arithmetic::Remainder | Arithmetic::Divide | Arithmetic::Power) {
            return Err(mismatch());
        }
        if left.is_number() && right.is_number() {
            return Ok(numbers);
        }
        let allowed = match (left, right) {
            (Kind::Text, Kind::Text) | (Kind::Duration, Kind::Date) => arithmetic == Arithmetic::Add,
            (Kind::Duration | Kind::Date, Kind::Duration) => arithmetic != Arithmetic::Multiply,
            (Kind::Date, Kind::Date) => arithmetic == Arithmetic::Subtract,
            (Kind::Duration, other) | (other, Kind::Duration) if other.is_number() => {
                arithmetic == Arithmetic::Multiply
            }
            (left, right) => {
                let addable = |kind: Kind| !matches!(kind, Kind::Bool | Kind::Array | Kind::Map);
                (open(left) || open(right)) && addable(left) && addable(right)
            }
        };
        if allowed { Ok(Kind::Any) } else { Err(mismatch()) }
    }

    fn each(
        &mut self,
        predicate: Predicate,
        over: &Node,
        body: &Option<Box<Node>>,
        extra: &Option<Box<Node>>,
    ) -> Checked {
        self.wants(over, Kind::Array, "predicates want")?;
        if let Some(body) = body {
            let transforms = matches!(
                predicate,
                Predicate::GroupBy | Predicate::Map | Predicate::Reduce | Predicate::SortBy | Predicate::Sum
            );
            if transforms {
                self.kind(body)?;
            } else {
                self.wants(body, Kind::Bool, "a predicate has to give")?;
            }
        }
        if let Some(extra) = extra {
            let wanted = if predicate == Predicate::SortBy { Kind::Text } else { Kind::Any };
            self.wants(extra, wanted, "the order is")?;
        }
        Ok(gives(predicate))
    }
}

fn comparable(left: Kind, right: Kind) -> bool {
    let unknown = |kind: Kind| matches!(kind, Kind::Any | Kind::Nil);
    unknown(left) || unknown(right) || left == right || left.is_number() && right.is_number()
}

fn incomparable(node: &Node, sign: &str, left: Kind, right: Kind) -> Wrong {
    let mend = match (left, right) {
        (Kind::Text, number) | (number, Kind::Text) if number.is_number() => {
            Some("asFloat and asInt make a number of a text".to_owned())
        }
        _ if sign == "%" => Some("int makes a whole number".to_owned()),
        _ => None,
    };
    Wrong {
        at: node.at(),
        message: format!("{sign} doesn't go with {} and {}", left.named(), right.named()),
        expected: mend,
    }
}
