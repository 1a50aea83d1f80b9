pub mod decode;
pub mod field_error;
pub mod go_text;
pub mod names;
pub use field_error::{FieldError, Reason, aggregate};
