//! What `apply`, `rollback` and `diff` have in common: a schema or values are made into a request, signed
//! here where the operators sign, and what came of it is told.

mod back;
mod document;
mod schema;
mod tell;
mod values;

pub use back::{earlier_values, restate_schema};
pub use document::{read_fields, read_list, read_value};
pub use schema::SchemaDraft;
pub use tell::{told, told_of_trial};
pub use values::ValuesDraft;
