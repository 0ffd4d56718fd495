//! Tests of the real binary from the outside, one file a topic.

mod xml_files;
