//! File locks: the only file that calls `flock(2)`.
//!
//! The kernel drops a lock the moment its owner dies, however it dies; everything the queue promises rests on that.
//! Files are opened close-on-exec, so a child process cannot keep a lock of its parent. A lock belongs to an inode,
//! not to a name: [`Lock::at`] looks at the name again after it got the lock, because somebody may have removed the
//! file while it waited.
//!
//! `flock` answers `EINTR` when a signal handler ran; that is not an answer to our question, so we ask again.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use fs2::FileExt;
use rustix::fs::OFlags;

/// How a lock shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Any number of holders, none of them exclusive.
    Shared,
    /// One holder.
    Exclusive,
}

/// A lock that is held until it is dropped, or until the process dies.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock if it is free, and gives the file back otherwise.
    pub fn attempt(file: File, mode: Mode) -> io::Result<Result<Lock, File>> {
        let answer = repeat(|| match mode {
            Mode::Shared => FileExt::try_lock_shared(&file),
            Mode::Exclusive => FileExt::try_lock_exclusive(&file),
        });
        match answer {
            Ok(()) => Ok(Ok(Lock { file })),
            Err(e) if e.raw_os_error() == fs2::lock_contended_error().raw_os_error() => Ok(Err(file)),
            Err(e) => Err(e),
        }
    }

    /// Sleeps until the lock is free.
    pub fn wait(file: File, mode: Mode) -> io::Result<Lock> {
        repeat(|| match mode {
            Mode::Shared => FileExt::lock_shared(&file),
            Mode::Exclusive => FileExt::lock_exclusive(&file),
        })?;
        Ok(Lock { file })
    }

    /// Locks the file called `path` exclusively, creating it (0600) if needed; `waits` is called once before sleeping.
    /// Such a file is never removed by us.
    pub fn at(path: &Path, waits: &mut dyn FnMut()) -> io::Result<Lock> {
        let mut waits = Some(waits);
        loop {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
                .open(path)?;
            let lock = match Lock::attempt(file, Mode::Exclusive)? {
                Ok(lock) => lock,
                Err(file) => {
                    if let Some(waits) = waits.take() {
                        waits();
                    }
                    Lock::wait(file, Mode::Exclusive)?
                }
            };
            if lock.is_called(path)? {
                return Ok(lock);
            }
        }
    }

    /// The locked file.
    pub fn file(&self) -> &File {
        &self.file
    }

    fn is_called(&self, path: &Path) -> io::Result<bool> {
        let held = self.file.metadata()?;
        match std::fs::metadata(path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (held.dev(), held.ino())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e),
        }
    }
}

fn repeat(mut ask: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    loop {
        match ask() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> File {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).unwrap()
    }

    #[test]
    fn exclusive_excludes_and_shared_shares() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("l");
        let held = Lock::attempt(open(&path), Mode::Exclusive).unwrap().unwrap();
        assert!(Lock::attempt(open(&path), Mode::Shared).unwrap().is_err());
        drop(held);
        let one = Lock::attempt(open(&path), Mode::Shared).unwrap().unwrap();
        let two = Lock::wait(open(&path), Mode::Shared).unwrap();
        assert!(Lock::attempt(open(&path), Mode::Exclusive).unwrap().is_err());
        drop((one, two));
        Lock::wait(open(&path), Mode::Exclusive).unwrap();
    }

    #[test]
    fn an_interruption_is_not_an_answer() {
        let mut answers =
            [Err(io::ErrorKind::Interrupted.into()), Err(io::ErrorKind::Interrupted.into()), Ok(())].into_iter();
        repeat(|| answers.next().unwrap()).unwrap();
        assert!(answers.next().is_none());
        let error = repeat(|| Err(io::ErrorKind::PermissionDenied.into())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_lock_on_a_removed_name_does_not_count() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("l");
        let first = Lock::at(&path, &mut || panic!("must not wait")).unwrap();
        std::thread::scope(|scope| {
            let (tell, told) = std::sync::mpsc::channel();
            let waiter = scope.spawn({
                let path = &path;
                move || Lock::at(path, &mut || tell.send(()).unwrap()).unwrap()
            });
            told.recv().unwrap();
            std::fs::remove_file(&path).unwrap();
            let second = Lock::at(&path, &mut || panic!("must not wait")).unwrap();
            drop(first);
            drop(second);
            assert!(waiter.join().unwrap().is_called(&path).unwrap());
        });
    }
}
