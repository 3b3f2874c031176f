//! The page that comes out.

use enlist_core::{Clock as _, SystemClock};
use enlist_wire::Time;

use super::verdicts::{self, Line};
use super::{Comparison, NAMES};

/// What stands around the tables.
const PAGE: &str = include_str!("page.md");

/// The whole page, as Markdown.
pub(super) fn write(of: &Comparison) -> String {
    let date = Time::from_millis(SystemClock.now().as_millis()).to_string();
    let [own, step_ca, cfssl] = &of.versions;
    let physics = &of.physics;
    let anonymous = of.memory.map(|it| (it.anonymous / 1024).to_string());
    [
        ("{date}", date.get(..10).unwrap_or(&date).to_owned()),
        ("{machine}", of.machine.clone()),
        ("{enlist}", own.clone()),
        ("{step-ca}", step_ca.clone()),
        ("{cfssl}", cfssl.clone()),
        ("{rounds}", of.size.rounds.to_string()),
        ("{count}", of.size.count.to_string()),
        ("{idle}", of.size.idle.to_string()),
        ("{handshake}", format!("{:.0}", physics.handshake)),
        ("{check}", format!("{:.0}", physics.check)),
        ("{sign}", format!("{:.0}", physics.sign)),
        ("{anonymous}", anonymous.join(", ")),
        ("{postgres}", postgres(of)),
        ("{cpu}", table(&NAMES, &verdicts::cpu(of))),
        ("{clients}", table(&NAMES, &verdicts::clients(of))),
        ("{resources}", table(&NAMES, &verdicts::resources(of))),
        ("{alone}", table(&["this", "beside"], &verdicts::alone(of))),
    ]
    .iter()
    .fold(PAGE.to_owned(), |page, (name, text)| {
        page.replace(name, text)
    })
}

fn postgres(of: &Comparison) -> String {
    of.pair.map_or_else(
        || "PostgreSQL was not installed.".to_owned(),
        |pair| {
            format!(
                "CPU of an enrollment in the server on PostgreSQL: {:.0} µs, without PostgreSQL's own.\nTwo servers \
                 share two cores with the database and the load: what machines of their own would bring, this\n\
                 does not say.",
                pair.cpu
            )
        },
    )
}

fn table(columns: &[&str], lines: &[Line]) -> String {
    let mut text = format!("| figure | {} | aim | is | |\n", columns.join(" | "));
    text.push_str(&"|---".repeat(columns.len() + 4));
    text.push_str("|\n");
    for line in lines {
        let (aim, is, met) = line.aim.as_ref().map_or(("", "", ""), |aim| {
            (&*aim.text, &*aim.is, if aim.met { "✓" } else { "✗" })
        });
        let values = line.values.join(" | ");
        text.push_str(&format!(
            "| {} | {values} | {aim} | {is} | {met} |\n",
            line.figure
        ));
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::alone::{Bulk, Durability, Growth};
    use crate::peers::rounds::Medians;
    use crate::peers::{Physics, Size};
    use crate::process::Resident;

    fn comparison() -> Comparison {
        let medians = |cpu| {
            Some(Medians {
                cpu,
                rate: 1_000.0,
                half: 2.0,
                slow: cpu / 10.0,
            })
        };
        let resident = Resident {
            now: 1,
            peak: 20_480,
            anonymous: 1,
        };
        Comparison {
            machine: "a machine".to_owned(),
            versions: ["1", "2", "3"].map(str::to_owned),
            size: Size::FULL,
            work: [[medians(200.0), medians(1_000.0), None]; 4],
            memory: [resident; 3],
            syncs: [0.1, 2.0, 1.0],
            physics: Physics {
                handshake: 70.0,
                check: 50.0,
                sign: 20.0,
            },
            durability: Durability {
                disk: 900.0,
                memory: 1_000.0,
            },
            idle: [19.0, 40.0],
            growth: Growth {
                cpu: [220.0, 200.0],
                start: [100.0, 99.0],
            },
            bulk: Bulk {
                rate: 60_000.0,
                grown: [20.0, 21.0],
            },
            pair: None,
        }
    }

    #[test]
    fn the_page_has_every_figure_and_its_verdict() {
        let page = write(&comparison());
        assert!(!page.contains('{'), "a place was left empty: {page}");
        assert!(page.contains(
            "| enrollment, kept-alive | 200 µs | 1,000 µs | – | ≤ 1/5 of step-ca | 1/5.00 | ✓ |"
        ));
        assert!(
            page.contains("| 20.0 MiB | 20.0 MiB | 20.0 MiB | ≤ 1/3 of step-ca | 1/1.00 | ✗ |")
        );
        assert!(page.contains("| 900 /s | 1,000 /s | ≥ 0.85 × | 0.90 | ✓ |"));
    }

    #[test]
    fn the_picture_is_one_that_a_browser_reads() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("picture.svg");
        crate::peers::plot::draw(&comparison(), &path).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"));
        assert!(text.contains("step-ca") && text.contains("1,000") || text.contains("1000"));
    }
}
