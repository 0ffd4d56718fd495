//! Whole lists, read page by page to their end: a platform has thousands of VMs and templates [api 2].
//!
//! Pages may be shorter than asked, and elements may be deleted or made between two pages. So each page begins with the
//! last element of the page before: if it is not there any more, the rest has moved up and reading goes back. A list has
//! ended when the position of its last element is the `size` of the answer, or when a page brings nothing new. Without
//! `size` a short page may be a capped one: unless it is shorter than any cap, the end costs two more requests, one for
//! the last element and one for what is behind it. `size` may also count the page alone. Where a VM that is not seen would
//! be made a second time, it is believed only once it was larger than its page, and no page is too short to be capped.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::Client;
use super::glimpse::Glimpse;
use super::host::Host;
use super::model::{Account, Cluster, List, Os, Pool, Preset, Recipe};
use super::node::Node;
use super::schedule::Schedule;
use crate::error::{Error, Kind, Result};

/// Elements asked for at once.
const PAGE: usize = 500;
/// No server is expected to cap its pages at fewer elements.
const SMALLEST_CAP: usize = 20;
/// A list with more elements, more pages or more in it, or that takes longer, is not read to its end.
const MOST_ELEMENTS: usize = 100_000;
const MOST_PAGES: usize = 4_000;
const MOST_BYTES: usize = 32 << 20;
const LONGEST: Duration = Duration::from_mins(5);
/// By so much each element makes the time longer: a list of many VMs takes its time, one that only drips is not waited for.
const EACH: Duration = Duration::from_millis(10);

/// An element of a list.
pub(super) trait Numbered {
    /// What is not in the list counts as not existing: nothing but its end may look like its end.
    const ABSENCE_COUNTS: bool;

    /// Its id, by which lists are ordered.
    fn id(&self) -> u64;
    /// Bytes of what it holds beside itself, about.
    fn bytes(&self) -> usize;
}

macro_rules! numbered {
    ($counts:literal: $($type:ty: $bytes:expr;)*) => {
        $(impl Numbered for $type {
            const ABSENCE_COUNTS: bool = $counts;

            fn id(&self) -> u64 {
                self.id.into()
            }

            fn bytes(&self) -> usize {
                let bytes: fn(&$type) -> usize = $bytes;
                bytes(self)
            }
        })*
    };
}

/// An element of a list inside of an element.
const INNER: usize = 32;

numbered! {
    false:
    Account: |it| it.email.len() + it.roles.iter().map(|role| role.len() + INNER).sum::<usize>();
    Cluster: |it| it.name.len() + it.virtualization_type.len();
    Node: |it| it.state.len();
    Os: |it| it.name.len() + it.repository.len() + it.state.len() + it.clusters.len() * INNER;
    Pool: |it| it.name.len() + it.clusters.len() * INNER;
    Preset: |it| {
        let tuning = [&it.tuning.cpu_mode, &it.tuning.cpu_custom_model].into_iter().flatten();
        it.name.len() + it.disks.len() * INNER + tuning.map(String::len).sum::<usize>()
    };
    Recipe: |it| it.name.len() + it.repository.len();
    Schedule: |it| it.name.len() + it.hosts.as_ref().map_or(0, Vec::len) * INNER;
}

numbered! {
    true:
    Glimpse: |it| it.comment.len() + it.name.len() + it.create_date.len();
    Host: |it| {
        let own = [&it.name, &it.domain, &it.comment, &it.create_date].map(String::len).iter().sum::<usize>();
        let owner = it.account.as_ref().map_or(0, |owner| owner.email.len());
        let cluster = it.cluster.as_ref().map_or(0, Numbered::bytes);
        own + owner + cluster + it.addresses().map(|address| address.ip.len() + INNER).sum::<usize>()
    };
}

impl Client {
    /// Every element of a list, in the order of ids. Filters on other fields than the id are not reliable.
    pub(super) fn all<T: DeserializeOwned + Numbered>(&self, path: &str) -> Result<Vec<T>> {
        let (mut reading, started) = (Reading::default(), Instant::now());
        for _ in 0..MOST_PAGES {
            let page = self.get(&format!("{path}?limit={},{PAGE}&orderby=id%20asc", reading.offset))?;
            if reading.has_ended(page) {
                return reading.whole(path);
            }
            let is_large = reading.all.len() > MOST_ELEMENTS || reading.bytes > MOST_BYTES;
            if is_large || started.elapsed() > self.patience(reading.all.len()) {
                break;
            }
        }
        let text = format!(
            "the list {path} of VMmanager does not end: {} elements were read in {} s; at most {MOST_ELEMENTS} on {MOST_PAGES} pages are",
            reading.all.len(),
            started.elapsed().as_secs(),
        );
        Err(Error::new(Kind::Vm6Api, path, text))
    }

    /// How long a list may take of which so many elements were read.
    fn patience(&self, read: usize) -> Duration {
        let more = EACH.saturating_mul(u32::try_from(read).unwrap_or(u32::MAX));
        self.limits().list.saturating_add(more).min(LONGEST)
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
    /// Of all.
    bytes: usize,
    /// How many there are by the last page, if it was not empty.
    size: Option<u64>,
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
            bytes: 0,
            size: None,
            offset: 0,
            overlaps: false,
            back: 1,
            is_going_back: false,
            is_size_of_list: false,
        }
    }
}

impl<T: Numbered> Reading<T> {
    /// What was read, unless VMmanager counts more and shows the same again: the rest would be taken for absent.
    fn whole(self, path: &str) -> Result<Vec<T>> {
        match self.size {
            Some(size) if size > self.all.len() as u64 => {
                let read = self.all.len();
                let text =
                    format!("the list {path} of VMmanager has {size} elements, but it shows only {read} of them");
                Err(Error::new(Kind::Vm6Api, path, text))
            }
            _ => Ok(self.all),
        }
    }

    /// Takes a page; whether it was the last one.
    fn has_ended(&mut self, List { list, size }: List<T>) -> bool {
        self.size = size.filter(|_| !list.is_empty());
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
                self.bytes += element.bytes();
                self.all.push(element);
            }
        }
        self.all.len() > before
    }
}
