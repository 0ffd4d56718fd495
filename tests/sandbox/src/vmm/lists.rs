//! How this platform pages its lists, where builds differ or nobody knows.

/// Settings of every list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// Most elements of one answer, whatever `limit` asks for; `None` for no cap.
    pub cap: Option<usize>,
    /// Pages end early: each has half of the elements it could have, at least one.
    pub short_pages: bool,
    /// What `size` counts.
    pub size: Size,
    /// Whether `where` may name the cluster on `/host` and `/node`; real platforms were seen to answer 500.
    pub cluster_filters: bool,
    /// What `where` does with names on `/host`.
    pub name_filters: NameFilters,
}

/// What a filter by name does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameFilters {
    /// It selects.
    #[default]
    Select,
    /// Nothing: everything is listed.
    Ignored,
    /// It is refused with status 500, as filters by cluster are.
    Refused,
}

/// What the `size` of an answer counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// Everything that the filter selects, on all pages.
    #[default]
    Total,
    /// The elements of this answer.
    Page,
    /// The answer has no `size`.
    Absent,
}

impl Lists {
    /// How many of the `left` elements after the offset one answer has, when `asked` are asked for.
    pub(super) fn page_length(&self, asked: Option<usize>, left: usize) -> usize {
        let most = [asked, self.cap].into_iter().flatten().min().unwrap_or(usize::MAX).min(left);
        if self.short_pages { most.div_ceil(2) } else { most }
    }

    /// The value of `size`, if the answer has one.
    pub(super) fn size_of(&self, page: usize, total: usize) -> Option<usize> {
        match self.size {
            Size::Total => Some(total),
            Size::Page => Some(page),
            Size::Absent => None,
        }
    }
}
