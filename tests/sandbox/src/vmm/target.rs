//! Which requests something is ordered for: faults and events share it.

/// Requests of a method (`*` for any) and path (`*` for any); a segment `*` of the path matches any one segment.
#[derive(Clone, Debug)]
pub(super) struct Target {
    method: String,
    path: String,
    /// Matching requests that pass first.
    pub skip: usize,
    /// Matching requests in a row that are hit then.
    pub times: usize,
}

impl Target {
    pub(super) fn new(method: &str, path: &str) -> Self {
        Self { method: method.into(), path: path.into(), skip: 0, times: 1 }
    }

    /// Counts the request if it matches; whether it is hit.
    pub(super) fn strike(&mut self, method: &str, path: &str) -> bool {
        if self.times == 0 || !self.matches(method, path) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times -= 1;
        true
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let (mut want, mut have) = (self.path.split('/'), path.split('/'));
        if self.method != "*" && self.method != method {
            return false;
        }
        if self.path == "*" {
            return true;
        }
        loop {
            match (want.next(), have.next()) {
                (None, None) => return true,
                (Some(w), Some(h)) if w == "*" || w == h => {}
                _ => return false,
            }
        }
    }
}
