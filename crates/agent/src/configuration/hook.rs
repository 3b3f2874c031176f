use enlist_pki::PublicKey;

use super::{Check, Checked};
use crate::config::Configuration;
use crate::hooks::{HookFailure, program, run_within};

/// The hook of the configuration file; one that is not there is content with everything.
///
/// It finds the file to look at in `ENLIST_CONFIGURATION`, and the one before, if there was one, in
/// `ENLIST_CONFIGURATION_BEFORE`.
pub(crate) fn hook(
    configuration: &Configuration,
) -> impl FnMut(&Check<'_>) -> Checked + Send + 'static {
    let home = configuration.persistent_directory.clone();
    let (hook, limit) = (
        configuration.configuration_check.clone(),
        configuration.configuration_limit,
    );
    move |check| {
        let Some(hook) = &hook else {
            return Checked::Good;
        };
        let path = |relative: &str| home.join(relative).to_string_lossy().into_owned();
        let before = check.before.map(path);
        let mut environment = vec![("ENLIST_CONFIGURATION", path(check.configuration))];
        environment.extend(before.map(|before| ("ENLIST_CONFIGURATION_BEFORE", before)));
        match run_within(hook, &environment, limit) {
            Ok(()) => Checked::Good,
            Err(HookFailure::TimedOut(_)) => Checked::TookTooLong,
            Err(why) => Checked::Failed(format!(
                "the hook `{}` {}",
                program(hook),
                crate::explain(&why)
            )),
        }
    }
}

/// The keys that may sign configuration for this device.
pub(crate) fn keys(configuration: &Configuration) -> Vec<PublicKey> {
    let texts = configuration.public_keys.iter();
    texts
        .filter_map(|text| PublicKey::from_pem(text).ok())
        .collect()
}
