//! What an enrollment by EST costs the server, beside the same by JSON.

use anyhow::Result;

use super::enroll::{Samples, sample};
use super::{CONNECTIONS, Scale, median};
use crate::load::Over;
use crate::served::Served;
use crate::table::{Aim, Table};

pub(crate) fn measure(scale: &Scale, table: &mut Table) -> Result<()> {
    for (over, called) in [(Over::New, "a new"), (Over::Kept, "a kept")] {
        println!("enrollments by EST over {called} connection each");
        let server = Served::enlist()?;
        let mut newcomers = server.group("est")?;
        let (mut est, mut json) = (Samples::default(), Samples::default());
        // The first round warms up, and does not count.
        for round in 0..=scale.rounds {
            let mut pair = [Samples::default(), Samples::default()];
            let requests = newcomers.est_requests(scale.enrollments)?;
            sample(&server, over, &requests, &mut pair[0])?;
            let requests = newcomers.requests(scale.enrollments)?;
            sample(&server, over, &requests, &mut pair[1])?;
            if round > 0 {
                let [one, other] = pair;
                est.add(one);
                json.add(other);
            }
        }
        table.row(
            &format!("CPU of an enrollment by EST on {called} connection"),
            "µs",
            median(est.cpu),
            Some(median(json.cpu)),
            Aim::Ratio(1.2),
        );
    }
    table.note(format!(
        "EST: `simpleenroll` with name and secret by HTTP Basic, sent ahead; beside it, in the place of a floor, the same enrollments by JSON on the same server in the same run, {CONNECTIONS} connections."
    ));
    Ok(())
}
