//! The directories that hold our state: private, ours, and on a filesystem whose locks can be trusted.

use std::fs::{DirBuilder, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use super::failure;
use crate::error::{Error, Kind, Result};

/// Filesystems on which `flock` or `fsync` cannot be trusted between machines or at all (`statfs` magic, name).
const REFUSED: &[(u64, &str)] = &[
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x517b, "SMB"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9p"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "kAFS"),
    (0x7375_7245, "CODA"),
    (0x00c3_6400, "Ceph"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0x564c, "NCP"),
    (0x786f_4256, "vboxsf"),
];

/// Makes sure that `path` is a directory (created 0700 with its parents) that only we can change, on a local
/// filesystem. Each refusal is an error `state` that names the path and the cure.
pub(crate) fn prepare_directory(path: &Path) -> Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|e| failure::io(path, "the directory cannot be created", &e))?;
            examine_directory(path)
        }
        found => examine(path, found),
    }
}

/// The same for a directory that must be there; nothing is created.
pub(crate) fn examine_directory(path: &Path) -> Result<()> {
    examine(path, std::fs::symlink_metadata(path))
}

fn examine(path: &Path, found: std::io::Result<Metadata>) -> Result<()> {
    let found = found.map_err(|e| failure::io(path, "the directory cannot be examined", &e))?;
    if found.is_symlink() {
        return Err(refuse(path, "is a symbolic link").cure("remove it, the real directory is then created"));
    }
    if !found.is_dir() {
        return Err(refuse(path, "is not a directory").cure("remove it, the directory is then created"));
    }
    let us = rustix::process::geteuid().as_raw();
    if found.uid() != us {
        let text = format!("belongs to user {}, not to us (user {us})", found.uid());
        return Err(refuse(path, &text).cure(format!("run: chown {us} {}", path.display())));
    }
    if found.mode() & 0o022 != 0 {
        let mode = found.mode() & 0o7777;
        let text = format!("may be changed by other users (mode {mode:04o})");
        return Err(refuse(path, &text).cure(format!("run: chmod 0700 {}", path.display())));
    }
    let magic = filesystem(path)?;
    match REFUSED.iter().find(|(refused, _)| *refused == magic) {
        Some((_, name)) => {
            let text = format!("is on a {name} filesystem, where locks cannot be trusted");
            Err(refuse(path, &text).cure("put it on a local one"))
        }
        None => Ok(()),
    }
}

fn refuse(path: &Path, text: &str) -> Error {
    Error::new(Kind::State, path.display().to_string(), format!("the directory {} {text}", path.display()))
}

fn filesystem(path: &Path) -> Result<u64> {
    #[cfg(feature = "faults")]
    if let Some(magic) = crate::config::filesystem_magic() {
        return Ok(magic);
    }
    let found =
        rustix::fs::statfs(path).map_err(|e| failure::io(path, "the filesystem cannot be examined", &e.into()))?;
    // The kernel's word is signed on some machines; the magic itself has 32 bits.
    Ok(u64::try_from(found.f_type & 0xffff_ffff).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn is_created_private_and_accepted_again() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("var/state");
        prepare_directory(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o700);
        prepare_directory(&path).unwrap();
    }

    #[test]
    fn what_others_could_change_is_refused_with_the_cure() {
        let root = tempfile::tempdir().unwrap();
        let open = root.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, PermissionsExt::from_mode(0o777)).unwrap();
        let link = root.path().join("link");
        symlink(root.path(), &link).unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        for (path, part) in [(&open, "chmod 0700"), (&link, "symbolic link"), (&file, "not a directory")] {
            let error = prepare_directory(path).unwrap_err();
            assert_eq!((error.kind, error.object.as_str()), (Kind::State, path.to_str().unwrap()));
            assert!(error.message().contains(part), "{error}");
        }
    }
}
