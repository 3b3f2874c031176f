//! Prints the OpenAPI document: `cargo xtask generate` keeps it in docs/openapi.json.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{}", enlist_server::openapi_document().to_pretty_json()?);
    Ok(())
}
