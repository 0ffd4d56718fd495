//! The socket of a database server on this machine, and whether the database is behind it.
//!
//! **Invariant.** Nobody but root and the server's own user can receive what we say to the database. A socket counts only
//! if its file belongs to root, to us or to the owner of its directory, which is the server's user, and if other users
//! cannot change names on the way to it. The file is held while it is used: what was examined is what is connected to.
//!
//! The owner of the file is who made the socket, and the kernel lets nobody give one away. To ask for the peer instead
//! (`SO_PEERCRED`) takes a connection of its own, of which the server would write a warning into its log at every run.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::options::Options;
use crate::log;
use crate::ownership;

/// Where servers have it, in the order of ISPsystem's own library [protocol 1.2]. The temporary directory, the last place
/// there, is everybody's.
const USUAL: [&str; 2] = ["/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock"];

const ROOT: u32 = 0;

/// A socket that was examined.
pub(super) struct Socket {
    file: File,
    place: PathBuf,
}

impl Socket {
    /// The socket to use: the configured one, else one of the usual places if the host is this one. Nothing when the
    /// options name a host. The error says why there is none.
    pub(super) fn find(options: &Options) -> Result<Option<Self>, String> {
        match &options.socket {
            Some(path) => Self::open(path).map(Some),
            None if options.host == "localhost" => Self::usual(&USUAL.map(PathBuf::from)).map(Some),
            None => Ok(None),
        }
    }

    fn usual(places: &[PathBuf]) -> Result<Self, String> {
        for place in places.iter().filter(|place| place.symlink_metadata().is_ok()) {
            match Self::open(place) {
                Ok(socket) => return Ok(socket),
                Err(reason) => log::warn!("{reason}"),
            }
        }
        let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        Err(format!(
            "the host is localhost, and no server of this machine has a socket that can be used at {}",
            places.join(" or ")
        ))
    }

    fn open(path: &Path) -> Result<Self, String> {
        let refused = |reason: &str| format!("the socket {} is not used: {reason}", path.display());
        let absent = |error: std::io::Error| format!("the socket {} cannot be used: {error}", path.display());
        let place = path.canonicalize().map_err(absent)?;
        // A link counts with the place where it is and the place to which it leads.
        let mut owner = ROOT;
        for directory in [path.parent(), place.parent()].into_iter().flatten() {
            owner = ownership::of_one_owner(directory).map_err(|reason| refused(&reason))?;
        }
        let file = rustix::fs::open(&place, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
        let file = File::from(file.map_err(|error| absent(error.into()))?);
        let found = file.metadata().map_err(absent)?;
        if !found.file_type().is_socket() {
            return Err(refused("it is no socket"));
        }
        if ![ROOT, owner, ownership::ourselves()].contains(&found.uid()) {
            return Err(refused(&format!("it was made by user {}, who is not the database server's", found.uid())));
        }
        Ok(Socket { file, place })
    }

    /// The path to connect to; it lasts as long as the socket is held.
    pub(super) fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.file.as_raw_fd())
    }

    /// A text about the connection with the place that people know.
    pub(super) fn named(&self, text: &str) -> String {
        text.replace(&self.path(), &self.place.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, create_dir, set_permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    fn what_was_examined_is_what_is_connected_to() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let socket = Socket::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let other = UnixListener::bind(&path).unwrap();
        other.set_nonblocking(true).unwrap();
        UnixStream::connect(socket.path()).unwrap();
        listener.accept().unwrap();
        assert!(other.accept().is_err());
    }

    #[test]
    fn a_planted_socket_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let place = |name: &str, mode: u32| {
            let place = root.path().join(name);
            create_dir(&place).unwrap();
            set_permissions(&place, Permissions::from_mode(mode)).unwrap();
            place.join("s")
        };
        let (shared, own, empty) = (place("shared", 0o1777), place("own", 0o755), root.path().join("empty"));
        let _servers = [&shared, &own].map(|path| UnixListener::bind(path).unwrap());
        let link = own.with_file_name("link");
        symlink(&shared, &link).unwrap();
        for refused in [&shared, &link, &root.path().join("own"), &empty] {
            assert!(Socket::open(refused).is_err(), "{}", refused.display());
        }
        assert!(Socket::usual(&[empty.clone(), shared.clone(), own]).is_ok());
        let reason = Socket::usual(&[empty, shared.clone()]).err().unwrap();
        assert!(reason.contains(shared.to_str().unwrap()), "{reason}");
    }
}
