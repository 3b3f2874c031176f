//! Lists of any length, page by page.

use enlist_core::Name;
use enlist_wire::{Client, ClientError, Page};

use crate::cli::Global;
use crate::failure::refused;
use crate::group_arg::AnyGroupArg;
use crate::output::{Format, Row, Rows};

/// Items asked for at once; a reply of them stays well under the client's bound.
const PAGE: u32 = 500;

/// `--limit COUNT`.
#[derive(Debug, Default, clap::Args)]
pub struct LimitArg {
    /// Stop after so many
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// A list that is being printed.
pub struct Listing {
    rows: Rows,
    left: u64,
}

impl Listing {
    /// Begins a list of `T`, in the form that was asked for.
    pub fn of<T: Row>(global: &Global, limit: &LimitArg) -> Self {
        Self {
            rows: Rows::of::<T>(global.output.unwrap_or(Format::Table)),
            left: limit.limit.unwrap_or(u64::MAX),
        }
    }

    /// Prints all that `fetch` yields, which is given the place to go on from and the page's size.
    pub fn pages<T: Row>(
        &mut self,
        mut fetch: impl FnMut(Option<String>, u32) -> Result<Page<T>, ClientError>,
    ) -> anyhow::Result<()> {
        let mut after = None;
        while self.left > 0 {
            let size = u32::try_from(self.left).unwrap_or(PAGE).min(PAGE);
            let page = fetch(after.clone(), size)?;
            for item in &page.items {
                if self.left == 0 {
                    break;
                }
                self.rows.push(item)?;
                self.left -= 1;
            }
            if page.next.is_none() {
                break;
            }
            if page.next == after || page.items.is_empty() {
                return Err(refused(
                    "list-stuck",
                    "the server's list does not go on: its next page is the one before",
                ));
            }
            after = page.next;
        }
        Ok(())
    }

    /// Whether no more is wanted.
    pub fn is_full(&self) -> bool {
        self.left == 0
    }

    /// Ends the list.
    pub fn finish(self) -> anyhow::Result<()> {
        self.rows.finish()
    }
}

/// The one group that was named, or all that the tenant has.
pub fn groups(client: &Client, tenant: &Name, group: &AnyGroupArg) -> anyhow::Result<Vec<String>> {
    if let Some(group) = &group.group {
        return Ok(vec![group.to_string()]);
    }
    let groups = client.groups(tenant.as_str())?;
    Ok(groups.items.into_iter().map(|group| group.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize)]
    struct Item;

    impl Row for Item {
        const COLUMNS: &'static [&'static str] = &[];

        fn cells(&self) -> Vec<String> {
            Vec::new()
        }
    }

    fn listing(left: u64) -> Listing {
        Listing {
            rows: Rows::of::<Item>(Format::Table),
            left,
        }
    }

    #[test]
    fn pages_are_followed_to_the_last() {
        let mut asked = Vec::new();
        let mut listing = listing(u64::MAX);
        listing
            .pages(|after, _| {
                asked.push(after.clone());
                let next = after.is_none().then(|| "a".to_owned());
                Ok(Page {
                    items: vec![Item],
                    next,
                })
            })
            .unwrap();
        assert_eq!(asked, [None, Some("a".to_owned())]);
    }

    #[test]
    fn a_limit_ends_the_list() {
        let mut calls = 0;
        let mut listing = listing(3);
        listing
            .pages(|_, size| {
                calls += 1;
                assert_eq!(size, if calls == 1 { 3 } else { 1 });
                Ok(Page {
                    items: vec![Item, Item],
                    next: Some(calls.to_string()),
                })
            })
            .unwrap();
        assert_eq!(calls, 2);
        assert!(listing.is_full());
    }

    #[test]
    fn a_list_that_runs_in_a_circle_is_left() {
        let same = |_, _| {
            Ok(Page {
                items: vec![Item],
                next: Some("a".to_owned()),
            })
        };
        assert!(listing(u64::MAX).pages(same).is_err());
    }
}
