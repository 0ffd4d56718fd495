//! What a broken or hostile platform answers: one kind after the other, to whatever it is asked.
//!
//! The request is worked on all the same: whoever cannot read the answer does not know what was done.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Result};

macro_rules! kinds {
    ($($kind:ident = $name:literal, $meaning:literal;)*) => {
        /// A kind of hostile answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Hostile { $(#[doc = $meaning] $kind,)* }

        impl Hostile {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// Its word on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// What is answered.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$kind => $meaning,)* }
            }
        }
    };
}

kinds! {
    Silent = "silent", "nothing, and the connection stays open";
    SlowHead = "slow-head", "headers without end, a byte at a time";
    EndlessHead = "endless-head", "headers without end";
    EndlessContinue = "endless-continue", "`100 Continue` without end";
    SlowBody = "slow-body", "a body of a gigabyte, a byte at a time";
    EndlessBody = "endless-body", "a body without length and end";
    EndlessChunks = "endless-chunks", "a chunked body without end";
    ShortBody = "short-body", "a body that is shorter than its length";
    HugeLength = "huge-length", "a length that no number holds";
    NoHttp = "no-http", "bytes that are not HTTP";
    Redirect = "redirect", "a redirect to the same place";
    GzipBomb = "gzip-bomb", "a gigabyte of blanks, compressed";
    EmptyObjects = "empty-objects", "a list of `{}`, 32 MiB in all";
    SmallObjects = "small-objects", "a list of 8 MiB of small objects";
    BigText = "big-text", "7 MiB of text in every field that is text";
    Deep = "deep", "a million arrays in each other";
    EndlessList = "endless-list", "lists whose pages never end";
    SlowList = "slow-list", "lists that grow by one element a page, and the pages come slowly";
    RepeatedIds = "repeated-ids", "lists that say they are long and repeat their first elements";
    HugeNumbers = "huge-numbers", "numbers that fit nowhere";
    NegativeNumbers = "negative-numbers", "numbers below zero, with fractions";
    WrongTypes = "wrong-types", "texts for numbers, objects for lists and so on";
    Nulls = "nulls", "the right fields without values";
    Nothing = "nothing", "`{}`";
    Twice = "twice", "every field two times";
    NotUtf8 = "not-utf8", "texts that are not UTF-8";
    OddTexts = "odd-texts", "texts with NUL, escape sequences, line breaks and letters that turn the writing";
    LongError = "long-error", "an error document with 7 MiB of text and status 200";
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Hostile {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let kind = Self::ALL.iter().find(|kind| kind.name() == text).copied();
        kind.with_context(|| format!("there is no hostile answer '{text}'; `vm6sim --help` lists them"))
    }
}
