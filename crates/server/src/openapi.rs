//! The OpenAPI document, made from the endpoints themselves.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, Ref, RefOr,
    Response, ResponseBuilder, SecurityRequirement,
};

use crate::api;

/// What the document calls the API token.
pub(crate) const API_TOKEN: &str = "api_token";

/// The whole document.
pub fn document() -> OpenApi {
    complete(api::endpoints(None).split_for_parts().1)
}

/// What is said once for all endpoints.
pub(crate) fn preamble() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("eat_…")
        .description(Some(
            "An API token. Beside it stands the role that the route takes, or `any`; then `installation` where it takes a token of the whole installation, or `group` where a token of one group gets its part of what is its tenant's. What is below a group is for tokens of that group, too, unless it says `tenant`.",
        ))
        .build();
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Enlist")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "Device provisioning. `/v1/device…` is for devices, the rest takes an API token.",
                ))
                .license(Some(license))
                .build(),
        )
        .components(Some(
            ComponentsBuilder::new()
                .schema_from::<enlist_wire::Problem>()
                .security_scheme(API_TOKEN, SecurityScheme::Http(bearer))
                .build(),
        ))
        .security(Some([SecurityRequirement::new(API_TOKEN, [""; 0])]))
        .build()
}

/// Adds what every endpoint may answer: a problem.
pub(crate) fn complete(mut document: OpenApi) -> OpenApi {
    for item in document.paths.paths.values_mut() {
        for operation in [
            &mut item.get,
            &mut item.post,
            &mut item.delete,
            &mut item.put,
            &mut item.patch,
        ]
        .into_iter()
        .flatten()
        {
            let problem = RefOr::T(problem());
            operation
                .responses
                .responses
                .insert("default".to_owned(), problem);
        }
    }
    document
}

fn problem() -> Response {
    ResponseBuilder::new()
        .description("Refused, or failed: a problem (RFC 9457).")
        .content(
            enlist_wire::PROBLEM_MEDIA_TYPE,
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build(),
        )
        .build()
}
