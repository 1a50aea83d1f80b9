//! Functions of arrays.

use super::super::value::Value;
use super::calls::Call;
use super::logic::{compared, is_nan};
use super::{Evaluated, Evaluation, failed, no_data};

impl Evaluation<'_> {
    pub(super) fn concat(&mut self, call: &Call<'_>) -> Evaluated {
        let mut joined = Vec::new();
        for nth in 0..call.values.len() {
            let items = call.array(nth)?.items();
            self.memory(call.at, size_of_val(items))?;
            joined.extend_from_slice(items);
        }
        self.array(call.at, joined)
    }

    pub(super) fn flatten(&mut self, call: &Call<'_>) -> Evaluated {
        let mut flat = Vec::new();
        self.gather(call.at, call.array(0)?.items(), &mut flat)?;
        self.array(call.at, flat)
    }

    fn gather(&mut self, at: usize, items: &[Value], flat: &mut Vec<Value>) -> Evaluated<()> {
        self.memory(at, size_of_val(items))?;
        for item in items {
            match item {
                Value::Array(inner) => self.gather(at, inner.items(), flat)?,
                other => flat.push(other.clone()),
            }
        }
        Ok(())
    }

    pub(super) fn take(&mut self, call: &Call<'_>) -> Evaluated {
        let items = call.array(0)?.items();
        let Ok(wanted) = usize::try_from(call.whole(1)?) else {
            return failed(call.at, "take can't take less than nothing");
        };
        self.array(call.at, items[..wanted.min(items.len())].to_vec())
    }

    pub(super) fn uniq(&mut self, call: &Call<'_>) -> Evaluated {
        let mut kept: Vec<Value> = Vec::new();
        for item in call.array(0)?.items() {
            let mut known = false;
            for other in &kept {
                known = known || self.same(call.at, item, other)?;
            }
            if !known {
                kept.push(item.clone());
            }
        }
        self.array(call.at, kept)
    }

    /// The items in the order of their keys, equal ones as they were.
    pub(super) fn sorted(&mut self, at: usize, items: &[Value], keys: Vec<Value>, order: Option<&Value>) -> Evaluated {
        let descending = match order {
            None => false,
            Some(Value::Text(order)) if &**order == "asc" => false,
            Some(Value::Text(order)) if &**order == "desc" => true,
            Some(other) => return failed(at, format!("the order is \"asc\" or \"desc\", not {}", other.kind())),
        };
        if let Some(nan) = keys.iter().find(|key| is_nan(key) || **key == Value::Nil) {
            return no_data(at, format!("{nan} has no place in an order"));
        }
        if let Some(odd) = keys.iter().find(|key| compared(key, &keys[0]).is_none()) {
            return failed(at, format!("{} and {} can't be sorted together", keys[0].kind(), odd.kind()));
        }
        self.work(at, items.len().saturating_mul(items.len().checked_ilog2().unwrap_or(0) as usize + 1))?;
        let mut rows: Vec<(Value, Value)> = keys.into_iter().zip(items.iter().cloned()).collect();
        rows.sort_by(|(left, _), (right, _)| {
            let ordering = compared(left, right).unwrap_or(std::cmp::Ordering::Equal);
            if descending { ordering.reverse() } else { ordering }
        });
        self.array(at, rows.into_iter().map(|(_, item)| item).collect())
    }
}
