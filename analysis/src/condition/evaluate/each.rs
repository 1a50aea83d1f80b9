//! Predicates: something is asked about each element of an array.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::names::Predicate;
use super::super::tree::{Arithmetic, Node};
use super::super::value::{Array, Value};
use super::logic::Gathered;
use super::{Evaluated, Evaluation, Scope, failed, no_data};

impl Evaluation<'_> {
    pub(super) fn each(
        &mut self,
        at: usize,
        predicate: Predicate,
        over: &Node,
        body: Option<&Node>,
        extra: Option<&Node>,
    ) -> Evaluated {
        let array = self.collection(over)?;
        let extra = extra.map(|extra| self.value(extra)).transpose()?;
        self.scopes.push(Scope { element: Value::Nil, index: 0, accumulator: Value::Nil });
        let outcome = match body {
            Some(body) => self.asked(at, predicate, &array, body, extra),
            None => self.bare(at, predicate, &array),
        };
        self.scopes.pop();
        outcome
    }

    /// Asks something at each element of an array until there is an answer.
    pub(in super::super) fn at_each<T>(
        &mut self,
        over: &Node,
        mut ask: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let array = self.collection(over).ok()?;
        self.scopes.push(Scope { element: Value::Nil, index: 0, accumulator: Value::Nil });
        let answer = array.items().iter().enumerate().find_map(|(index, item)| {
            self.at_element(index, item);
            ask(self)
        });
        self.scopes.pop();
        answer
    }

    fn collection(&mut self, over: &Node) -> Evaluated<Arc<Array>> {
        match self.operand(over)? {
            Value::Array(array) => Ok(array),
            Value::Nil => no_data(over.at(), "there is no array here"),
            other => failed(over.at(), format!("a predicate is asked about an array, and this is {}", other.kind())),
        }
    }

    fn asked(
        &mut self,
        at: usize,
        predicate: Predicate,
        array: &Array,
        body: &Node,
        extra: Option<Value>,
    ) -> Evaluated {
        let items = array.items();
        match predicate {
            Predicate::All => self.until(items, body, false).map(|found| Value::Bool(!found)),
            Predicate::Any => self.until(items, body, true).map(Value::Bool),
            Predicate::None => self.until(items, body, true).map(|found| Value::Bool(!found)),
            Predicate::One => self.one(items, body),
            Predicate::Find | Predicate::FindIndex => self.find(predicate, items.iter().enumerate(), body),
            Predicate::FindLast | Predicate::FindLastIndex => {
                self.find(predicate, items.iter().enumerate().rev(), body)
            }
            Predicate::Count => self.chosen(items, body).map(|chosen| Value::Int(chosen.len() as i64)),
            Predicate::Filter => {
                let chosen = self.chosen(items, body)?;
                self.array(at, chosen)
            }
            Predicate::Map => {
                let mapped = self.mapped(at, items, body)?;
                self.array(at, mapped)
            }
            Predicate::Sum => {
                let mapped = self.mapped(at, items, body)?;
                self.sum(at, &mapped)
            }
            Predicate::SortBy => {
                let keys = self.mapped(at, items, body)?;
                self.sorted(at, items, keys, extra.as_ref())
            }
            Predicate::GroupBy => self.groups(at, items, body),
            Predicate::Reduce => self.reduce(at, items, body, extra),
        }
    }

    /// `count(array)` and `sum(array)`, which ask nothing.
    fn bare(&mut self, at: usize, predicate: Predicate, array: &Array) -> Evaluated {
        if predicate == Predicate::Sum {
            return self.sum(at, array.items());
        }
        let mut count = 0;
        for item in array.items() {
            match item {
                Value::Bool(truth) => count += i64::from(*truth),
                other => return failed(at, format!("count counts what is true, and this is {}", other.kind())),
            }
        }
        self.work(at, array.items().len())?;
        Ok(Value::Int(count))
    }

    fn at_element(&mut self, index: usize, item: &Value) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.element = item.clone();
            scope.index = index;
        }
    }

    /// Whether the answer is `wanted` for some element.
    fn until(&mut self, items: &[Value], body: &Node, wanted: bool) -> Evaluated<bool> {
        let mut gathered = Gathered::default();
        for (index, item) in items.iter().enumerate() {
            self.at_element(index, item);
            let truth = self.truth(body);
            if gathered.known(truth)? == Some(wanted) {
                return Ok(true);
            }
        }
        gathered.undecided(false)
    }

    fn one(&mut self, items: &[Value], body: &Node) -> Evaluated {
        let mut gathered = Gathered::default();
        let mut found = 0;
        for (index, item) in items.iter().enumerate() {
            self.at_element(index, item);
            let truth = self.truth(body);
            found += usize::from(gathered.known(truth)? == Some(true));
            if found > 1 {
                return Ok(Value::Bool(false));
            }
        }
        gathered.undecided(Value::Bool(found == 1))
    }

    fn find<'v>(
        &mut self,
        predicate: Predicate,
        items: impl Iterator<Item = (usize, &'v Value)>,
        body: &Node,
    ) -> Evaluated {
        for (index, item) in items {
            self.at_element(index, item);
            if self.truth(body)? {
                let wants_element = matches!(predicate, Predicate::Find | Predicate::FindLast);
                return Ok(if wants_element { item.clone() } else { Value::Int(index as i64) });
            }
        }
        Ok(Value::Nil)
    }

    fn chosen(&mut self, items: &[Value], body: &Node) -> Evaluated<Vec<Value>> {
        let mut chosen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            self.at_element(index, item);
            if self.truth(body)? {
                chosen.push(item.clone());
            }
        }
        Ok(chosen)
    }

    fn mapped(&mut self, at: usize, items: &[Value], body: &Node) -> Evaluated<Vec<Value>> {
        self.memory(at, size_of_val(items))?;
        let mut mapped = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.at_element(index, item);
            mapped.push(self.value(body)?);
        }
        Ok(mapped)
    }

    fn sum(&mut self, at: usize, items: &[Value]) -> Evaluated {
        let mut sum = Value::Int(0);
        for item in items {
            self.work(at, 1)?;
            sum = self.arithmetic(at, Arithmetic::Add, &sum, item)?;
        }
        Ok(sum)
    }

    fn groups(&mut self, at: usize, items: &[Value], body: &Node) -> Evaluated {
        let keys = self.mapped(at, items, body)?;
        let mut groups: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
        for (key, item) in keys.iter().zip(items) {
            let name = self.printed(at, key)?;
            groups.entry(Arc::from(name)).or_default().push(item.clone());
        }
        let mut entries = BTreeMap::new();
        for (name, group) in groups {
            entries.insert(name, self.array(at, group)?);
        }
        self.entries(at, entries)
    }

    fn reduce(&mut self, at: usize, items: &[Value], body: &Node, start: Option<Value>) -> Evaluated {
        let (mut accumulator, skipped) = match (start, items.first()) {
            (Some(start), _) => (start, 0),
            (None, Some(first)) => (first.clone(), 1),
            (None, None) => return no_data(at, "there is nothing to reduce, and nothing to begin with"),
        };
        for (index, item) in items.iter().enumerate().skip(skipped) {
            self.at_element(index, item);
            if let Some(scope) = self.scopes.last_mut() {
                scope.accumulator = accumulator;
            }
            accumulator = self.value(body)?;
        }
        Ok(accumulator)
    }
}
