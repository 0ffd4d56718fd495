//! misfortune
