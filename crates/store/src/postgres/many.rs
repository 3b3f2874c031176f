//! A statement of one row, made into one of many: what stood for a value stands for a column of arrays.

use tokio_postgres::types::Type;

/// The statement that does for all rows of the given columns what `sql` does for one. `None` where `sql`
/// is of no form that is known here, or a type is not one of ours.
///
/// The forms: `INSERT … VALUES ($1, …) …`, `INSERT … SELECT $1, … WHERE …`, `UPDATE … WHERE …`,
/// `DELETE FROM … WHERE …`, and `SELECT … FROM … WHERE …`.
pub(super) fn many(sql: &str, types: &[Type]) -> Option<String> {
    let arrays: Option<Vec<_>> = (1..)
        .zip(types)
        .map(|(number, ty)| Some(format!("${number}::{}[]", name(ty)?)))
        .collect();
    let columns: Vec<_> = (1..=types.len())
        .map(|number| format!("a{number}"))
        .collect();
    let rows = format!(
        "unnest({}) AS v({})",
        arrays?.join(", "),
        columns.join(", ")
    );
    if let Some((into, rest)) = sql.split_once("VALUES (") {
        let (list, rest) = rest.split_once(')')?;
        return Some(format!(
            "{into}SELECT {} FROM {rows}{}",
            named(list),
            named(rest)
        ));
    }
    let (what, condition) = sql.split_once("WHERE ")?;
    let join = if what.starts_with("DELETE ") {
        "USING "
    } else if what.contains("FROM ") {
        ", "
    } else {
        "FROM "
    };
    let what = named(what);
    let what = what.trim_end();
    Some(format!("{what} {join}{rows} WHERE {}", named(condition)))
}

fn name(ty: &Type) -> Option<&'static str> {
    match *ty {
        Type::INT8 => Some("bigint"),
        Type::TEXT => Some("text"),
        Type::BYTEA => Some("bytea"),
        _ => None,
    }
}

/// With columns in place of numbered values.
fn named(sql: &str) -> String {
    sql.replace('$', "v.a")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_takes_its_rows_from_arrays() {
        let types = [Type::BYTEA, Type::INT8];
        let rows = "unnest($1::bytea[], $2::bigint[]) AS v(a1, a2)";
        for (one, all) in [
            (
                "INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                format!(
                    "INSERT INTO t (a, b) SELECT v.a1, v.a2 FROM {rows} ON CONFLICT DO NOTHING"
                ),
            ),
            (
                "INSERT INTO t (a, b) SELECT $1, $2\n WHERE EXISTS (SELECT 1 FROM c WHERE d = $2)",
                format!(
                    "INSERT INTO t (a, b) SELECT v.a1, v.a2 FROM {rows} WHERE EXISTS \
                     (SELECT 1 FROM c WHERE d = v.a2)"
                ),
            ),
            (
                "UPDATE t SET a = $1 WHERE b = $2",
                format!("UPDATE t SET a = v.a1 FROM {rows} WHERE b = v.a2"),
            ),
            (
                "SELECT 1 FROM t WHERE a = $1 AND b = $2",
                format!("SELECT 1 FROM t , {rows} WHERE a = v.a1 AND b = v.a2"),
            ),
            (
                "DELETE FROM t WHERE a = $1 AND b = $2",
                format!("DELETE FROM t USING {rows} WHERE a = v.a1 AND b = v.a2"),
            ),
        ] {
            assert_eq!(many(one, &types), Some(all));
        }
        assert_eq!(many("DELETE FROM t", &types), None);
        assert_eq!(
            many("UPDATE t SET a = $1 WHERE b = $2", &[Type::BOOL]),
            None
        );
    }
}
