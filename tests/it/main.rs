//! Tests of the real binary from the outside, one file a topic.

mod readme;
mod xml_files;
