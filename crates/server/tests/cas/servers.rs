use enlist_testkit::{Postgres, Rig};
use enlist_wire::{DeviceAction, EnrollReply, Enrollment, PreEnroll};

use super::{NOW, chains, leaf, next};

/// A server that does not know of the rollover yet never gives out what it signed under the old CA.
#[test]
fn another_server_on_the_database_issues_under_the_new_ca_at_once() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let place = enlist_ops::Location::Postgres(postgres.database("cas"));
    let here = Rig::on_shared(place.clone());
    let there = Rig::beside(&here, place);
    let open = here.group("pumps", Enrollment::Open);
    let asked = here.group("valves", Enrollment::Approve);
    // The other one has signed under the old CA, and holds it.
    let mut renewing = there.enrolled_device("pumps", "pump-0", &open);
    let mut by_token = there.enrolled_device("pumps", "pump-1", &open);
    let mut waiting = there.device("valves", "valve-1", &asked);
    let reply = there.stranger().enroll(&waiting.request()).unwrap();
    assert!(matches!(reply, EnrollReply::Pending(_)));

    let mut last = renewing.enrolled.clone().unwrap().issuing_ca;
    for round in 2..5 {
        let new = next(here.admin());
        assert_ne!(new.certificate, last);
        here.admin().retire_ca("default", &NOW).unwrap();
        let name = format!("pump-{round}");
        let fresh = there
            .enrolled_device("pumps", &name, &open)
            .enrolled
            .unwrap();
        assert_eq!(fresh.issuing_ca, new.certificate, "enrolled");
        assert!(chains(&there, &fresh));
        last = new.certificate;
    }
    let new = next(here.admin());
    here.admin().retire_ca("default", &NOW).unwrap();
    let renewed = renewing.renew(&there).unwrap();
    assert_eq!(renewed.issuing_ca, new.certificate, "renewed");
    assert!(chains(&there, &renewed));

    let new = next(here.admin());
    here.admin().retire_ca("default", &NOW).unwrap();
    let renewed = by_token.renew_by_token(&there).unwrap();
    assert_eq!(renewed.issuing_ca, new.certificate, "renewed by token");

    let new = next(here.admin());
    here.admin().retire_ca("default", &NOW).unwrap();
    let action = DeviceAction::default();
    there
        .admin()
        .approve("default", "valves", "valve-1", &action)
        .unwrap();
    let let_in = waiting.enroll(&there).unwrap();
    assert_eq!(let_in.issuing_ca, new.certificate, "approved");

    let new = next(here.admin());
    here.admin().retire_ca("default", &NOW).unwrap();
    let ahead = PreEnroll::default();
    let made = there
        .admin()
        .pre_enroll("default", "pumps", "pump-9", &ahead)
        .unwrap();
    assert_eq!(made.issuing_ca_pem, new.certificate, "made ahead");

    // Nothing was issued twice on the way.
    let certificates = here.admin().certificates("default", &Default::default());
    let all = certificates.unwrap().items;
    assert_eq!(all.len(), 2 + 3 + 2 + 1 + 1);
    assert!(
        all.iter()
            .any(|one| one.serial == leaf(&renewed).serial_hex())
    );
}
