//! Whole lists, read page by page to their end: a platform has thousands of VMs and templates [api 2].
//!
//! Pages may be shorter than asked, and elements may be deleted or made between two pages. So each page begins with the
//! last element of the page before: if it is not there any more, the rest has moved up and reading goes back. A list has
//! ended when the position of its last element is the `size` of the answer, or when a page brings nothing new. Without
//! `size` a short page may be a capped one: unless it is shorter than any cap, the end costs two more requests, one for
//! the last element and one for what is behind it. `size` may also count the page alone. Where a VM that is not seen would
//! be made a second time, it is believed only once it was larger than its page, and no page is too short to be capped.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::Client;
use super::glimpse::Glimpse;
use super::host::Host;
use super::model::{Account, Cluster, List, Node, Os, Pool, Preset, Recipe};
use crate::error::{Error, Kind, Result};

/// Elements asked for at once.
const PAGE: usize = 500;
/// No server is expected to cap its pages at fewer elements.
const SMALLEST_CAP: usize = 20;
/// A list with more elements, or with more pages, is not read to its end.
const MOST_ELEMENTS: usize = 100_000;
const MOST_PAGES: usize = 4_000;

/// An element of a list.
pub(super) trait Numbered {
    /// What is not in the list counts as not existing: nothing but its end may look like its end.
    const ABSENCE_COUNTS: bool;

    /// Its id, by which lists are ordered.
    fn id(&self) -> u64;
}

macro_rules! numbered {
    ($counts:literal: $($type:ty),*) => {
        $(impl Numbered for $type {
            const ABSENCE_COUNTS: bool = $counts;

            fn id(&self) -> u64 {
                self.id.into()
            }
        })*
    };
}

numbered!(false: Account, Cluster, Node, Os, Pool, Preset, Recipe);
numbered!(true: Glimpse, Host);

impl Client {
    /// Every element of a list, in the order of ids. Filters on other fields than the id are not reliable.
    pub(super) fn all<T: DeserializeOwned + Numbered>(&self, path: &str) -> Result<Vec<T>> {
        let mut reading = Reading::default();
        for _ in 0..MOST_PAGES {
            let page = self.get(&format!("{path}?limit={},{PAGE}&orderby=id%20asc", reading.offset))?;
            if reading.has_ended(page) {
                return Ok(reading.all);
            }
            if reading.all.len() > MOST_ELEMENTS {
                break;
            }
        }
        let text = format!(
            "the list {path} of VMmanager does not end: {} elements were read, at most {MOST_ELEMENTS} on {MOST_PAGES} pages are",
            reading.all.len()
        );
        Err(Error::new(Kind::Vm6Api, path, text))
    }

    /// Reads the first element of a list, whatever it is: shows whether the account may.
    pub fn probe(&self, path: &str) -> Result<()> {
        self.get::<List<Value>>(&format!("{path}?limit=0,1")).map(drop)
    }
}

/// How far a list was read.
struct Reading<T> {
    all: Vec<T>,
    known: HashSet<u64>,
    /// Where the next page begins.
    offset: usize,
    /// The next page begins with an element that is known, if nothing has moved.
    overlaps: bool,
    /// How far reading goes back when something has.
    back: usize,
    is_going_back: bool,
    /// `size` was seen to count more than the page.
    is_size_of_list: bool,
}

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Reading {
            all: Vec::new(),
            known: HashSet::new(),
            offset: 0,
            overlaps: false,
            back: 1,
            is_going_back: false,
            is_size_of_list: false,
        }
    }
}

impl<T: Numbered> Reading<T> {
    /// Takes a page; whether it was the last one.
    fn has_ended(&mut self, List { list, size }: List<T>) -> bool {
        let is_known = list.first().is_some_and(|element| self.known.contains(&element.id()));
        if self.overlaps && self.offset > 0 && !is_known {
            self.offset = self.offset.saturating_sub(self.back);
            self.back *= 2;
            self.is_going_back = true;
            return false;
        }
        let (overlapped, start, length) = (self.overlaps, self.offset, list.len());
        let is_new = self.take(list);
        let end = start + length;
        (self.overlaps, self.back) = (length > 1, 1);
        self.offset = if self.overlaps { end - 1 } else { end };
        self.is_size_of_list |= size.is_some_and(|size| size > length as u64);
        // Where `size` counts the elements of the page, a full page says nothing of the next one.
        let is_believed = if T::ABSENCE_COUNTS { self.is_size_of_list } else { length != PAGE };
        let is_all = is_believed && size == u64::try_from(end).ok();
        let is_short =
            !T::ABSENCE_COUNTS && size.is_none() && start == 0 && length < SMALLEST_CAP && !self.is_going_back;
        // A server that ignores the paging sends everything again.
        let is_repeated = !is_new && (!overlapped || length > 1 && !self.is_going_back);
        self.is_going_back &= !is_new;
        is_all || is_short || is_repeated
    }

    /// Whether one of the elements is new.
    fn take(&mut self, list: Vec<T>) -> bool {
        let before = self.all.len();
        for element in list {
            if self.known.insert(element.id()) {
                self.all.push(element);
            }
        }
        self.all.len() > before
    }
}
