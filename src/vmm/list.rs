//! Whole lists, read page by page: a platform has thousands of VMs and templates [api 2].

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::Client;
use super::host::Host;
use super::model::{Account, Cluster, List, Node, Os, Pool, Preset, Recipe};
use crate::error::Result;

/// Elements asked for at once.
const PAGE: usize = 500;

/// An element of a list.
pub trait Numbered {
    /// Its id, by which lists are ordered.
    fn id(&self) -> u64;
}

macro_rules! numbered {
    ($($type:ty),*) => {
        $(impl Numbered for $type {
            fn id(&self) -> u64 {
                self.id.into()
            }
        })*
    };
}

numbered!(Account, Cluster, Host, Node, Os, Pool, Preset, Recipe);

impl Client {
    /// Every element of a list, in the order of ids. Filters on other fields than the id are not reliable.
    pub(super) fn all<T: DeserializeOwned + Numbered>(&self, path: &str) -> Result<Vec<T>> {
        let (mut all, mut known): (Vec<T>, _) = (Vec::new(), HashSet::new());
        loop {
            let page = self.get::<List<T>>(&format!("{path}?limit={},{PAGE}&orderby=id%20asc", all.len()))?.list;
            let count = page.len();
            // A server that ignores the paging sends everything at once, and again.
            if page.first().is_some_and(|element| known.contains(&element.id())) {
                return Ok(all);
            }
            known.extend(page.iter().map(Numbered::id));
            all.extend(page);
            if count != PAGE {
                return Ok(all);
            }
        }
    }

    /// Reads the first element of a list, whatever it is: shows whether the account may.
    pub fn probe(&self, path: &str) -> Result<()> {
        self.get::<List<Value>>(&format!("{path}?limit=0,1")).map(drop)
    }
}
