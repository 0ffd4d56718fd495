//! Who decides what a path means: who can put another file, link or socket in its place.
//!
//! Root writes files and connects to sockets for us. A directory in which a local user may change names, anywhere on the way,
//! would let him choose which file that is. The sticky bit protects a directory of ours inside a shared one, and nothing
//! that is itself in the shared one.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const ROOT: u32 = 0;
const STICKY: u32 = 0o1000;
/// Permissions of other users.
const OTHERS: u32 = 0o002;
/// Those of other users and of a group.
const GROUP_AND_OTHERS: u32 = 0o022;

/// Whether only root and we decide what `directory` holds; if not, why, as the end of a sentence.
pub(crate) fn private(directory: &Path) -> Result<(), String> {
    chain(directory, &[ROOT, ourselves()], GROUP_AND_OTHERS)
}

/// Whether only root, we and the directory's owner decide what `directory` holds; that owner.
pub(crate) fn of_one_owner(directory: &Path) -> Result<u32, String> {
    let owner = directory.metadata().map_err(|error| unreadable(directory, &error))?.uid();
    chain(directory, &[ROOT, ourselves(), owner], OTHERS).map(|()| owner)
}

/// Our user.
pub(crate) fn ourselves() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Both ways to it count: the one with the links that were named, and the one that these lead to.
fn chain(directory: &Path, owners: &[u32], writers: u32) -> Result<(), String> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let unreadable = |error| unreadable(directory, &error);
    for way in [std::path::absolute(directory).map_err(unreadable)?, directory.canonicalize().map_err(unreadable)?] {
        let places: Vec<&Path> = way.ancestors().collect();
        for (number, place) in places.iter().enumerate() {
            let found = place.symlink_metadata().map_err(unreadable)?;
            let below = number.checked_sub(1).and_then(|below| places.get(below)?.symlink_metadata().ok());
            judge(place, &found, below.as_ref(), owners, writers)?;
        }
    }
    Ok(())
}

fn judge(place: &Path, found: &Metadata, below: Option<&Metadata>, owners: &[u32], writers: u32) -> Result<(), String> {
    let name = place.display();
    if !owners.contains(&found.uid()) {
        return Err(format!("{name} belongs to user {}", found.uid()));
    }
    // A link has no permissions of its own.
    if found.is_symlink() || found.mode() & writers == 0 {
        return Ok(());
    }
    let trusted = [ROOT, ourselves()];
    if found.mode() & STICKY != 0 && below.is_some_and(|below| trusted.contains(&below.uid())) {
        return Ok(());
    }
    Err(format!("{name} can be changed by other users (mode {:04o})", found.mode() & 0o7777))
}

fn unreadable(directory: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be examined ({error})", directory.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, create_dir, set_permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    fn directory(path: PathBuf, mode: u32) -> PathBuf {
        create_dir(&path).unwrap();
        set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn what_others_can_change_is_refused_on_the_whole_way() {
        let root = tempfile::tempdir().unwrap();
        let own = directory(root.path().join("own"), 0o755);
        let group = directory(root.path().join("group"), 0o775);
        let open = directory(root.path().join("open"), 0o777);
        let shared = directory(root.path().join("shared"), 0o1777);
        let below = directory(open.join("below"), 0o700);
        let guarded = directory(shared.join("below"), 0o700);
        for fine in [root.path(), &own, &guarded] {
            private(fine).unwrap();
            assert_eq!(of_one_owner(fine), Ok(ourselves()));
        }
        for (refused, named) in [(&open, &open), (&shared, &shared), (&below, &open)] {
            assert!(private(refused).unwrap_err().contains(&format!("{} can be", named.display())));
            assert!(of_one_owner(refused).is_err());
        }
        assert!(private(&group).is_err());
        assert_eq!(of_one_owner(&group), Ok(ourselves()));
        // A link counts with the place where it is and the place to which it leads.
        for (link, good) in [(own.join("a"), &own), (own.join("b"), &open), (open.join("c"), &own)] {
            symlink(good, &link).unwrap();
            assert_eq!(private(&link).is_ok(), link.starts_with(&own) && good == &own, "{}", link.display());
        }
        assert!(private(&root.path().join("absent")).unwrap_err().contains("absent"));
    }
}
