//! Two servers on one database: a challenge of one is answered at the other.

use enlist_ops::Location;
use enlist_testkit::{Postgres, Rig, refusal};
use enlist_wire::DeviceAction;

use crate::maker::{Maker, TpmDevice, group};

#[test]
fn a_challenge_of_one_server_is_answered_at_the_other_and_once() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let place = Location::Postgres(postgres.database("zero_touch"));
    let here = Rig::on_shared(place.clone());
    let there = Rig::beside(&here, place);
    let maker = Maker::new("Acme TPM Root");
    maker.import(&here, "default");
    group(&here, "pumps");
    let mut pump = TpmDevice::new(&here, maker.tpm(), "pumps", "pump-1");
    let challenge = pump.ask(&here.stranger()).unwrap();
    let enrolled = there.stranger().enroll(&pump.answer(&challenge)).unwrap();
    let again = here.stranger().enroll(&pump.answer(&challenge)).unwrap();
    assert_eq!(enrolled, again);
    pump.begin_anew(&here);
    here.admin()
        .deprovision("default", "pumps", "pump-1", &DeviceAction::default())
        .unwrap();
    let replayed = here.stranger().enroll(&pump.answer(&challenge));
    assert_eq!(refusal(replayed), "challenge-used");
}
