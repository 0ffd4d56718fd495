//! The session cache: one login for any number of processes.
//!
//! **Invariant.** A stored token belongs to one identity: URL, user name, password and TLS mode. Changing one of
//! them has another identity and cannot use it. The token is in `runtime.db`, sealed
//! ([`crate::seal`]), and nowhere else: not in a log, not in a list. Seal and identity are made with a key that only the owner
//! of the panel's private key has: whoever has a copy of `runtime.db` cannot try passwords on it.
//!
//! **One login.** Who finds no usable token takes the login lock of the identity (`login/<hash>`), looks again, and only
//! then logs in. The others sleep in the lock and find the token. A refused login is noted with its moment; who began to
//! wait before that moment gets the same refusal, who comes later tries for himself.
//!
//! **Age** is counted by the clock of the boot and from before the login request, so a token is never used longer than
//! the session storage period, whatever happens to the date. A moment of the future or of another boot counts as expired.
//!
//! **Lock order.** Login lock, then the guard of `runtime.db`. Killed at any line, a process leaves at worst a session
//! that nobody stored: the next one logs in again.
//!
//! The cache saves work, nothing depends on it: if it cannot be used, a warning is logged and the process logs in by
//! itself.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{OptionalExtension, params};
use secrecy::{ExposeSecret, SecretString};

use crate::digest::{hmac_sha256, sha256};
use crate::error::{Error, Kind, Result};
use crate::fault;
use crate::lock::Lock;
use crate::log;
use crate::seal::Seal;
use crate::state::{Database, RUNTIME, boot, failure, prepare_directory};

/// What the key of a token's seal is for: changing it drops all sessions.
const PURPOSE: &str = "session token";

/// Whom a session belongs to.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Address of VMmanager as it is used, for example `https://vm.example.com`.
    pub url: String,
    /// The administrator's e-mail.
    pub username: String,
    /// The password; only a keyed fingerprint is stored.
    pub password: SecretString,
    /// TLS mode and, where it matters, the pinned fingerprint.
    pub tls: String,
}

impl Identity {
    /// Over the fingerprints of the parts: no two identities can be written the same way.
    fn fingerprint(&self, key: &SecretString) -> String {
        let parts = [&self.url, &self.username, self.password.expose_secret(), &self.tls];
        let parts = parts.map(|part| sha256(part.as_bytes())).concat();
        hmac_sha256(key.expose_secret().as_bytes(), parts.as_bytes())
    }
}

/// The session of one identity, as this process uses it.
#[derive(Debug)]
pub struct Session {
    directory: PathBuf,
    identity: Identity,
    fingerprint: String,
    /// The fingerprint without the password.
    lock_name: String,
    seal: Seal,
    ttl: Duration,
    cache: RefCell<Cache>,
}

#[derive(Debug)]
enum Cache {
    /// Shared with other processes.
    Shared(Database),
    /// For this process alone.
    Own(Option<SecretString>),
}

/// A cached session, for the people who look at the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// Address of VMmanager.
    pub url: String,
    /// The administrator's e-mail.
    pub username: String,
    /// Time since the login.
    pub age: Duration,
    /// Time for which it is used at most.
    pub ttl: Duration,
}

impl Session {
    /// The session of `identity`, shared through the runtime directory for `ttl` with those who have the same `key`. Zero
    /// keeps nothing: what the cache holds of this identity is dropped, and the token stays in this process.
    pub fn open(directory: &Path, identity: &Identity, key: &SecretString, ttl: Duration) -> Self {
        let fingerprint = identity.fingerprint(key);
        let cache = match Database::at(directory, &RUNTIME) {
            Ok(mut database) if ttl.is_zero() => {
                let forgotten = database.write(|transaction| {
                    transaction.execute("DELETE FROM session WHERE identity = ?1", [&fingerprint])?;
                    Ok(())
                });
                if let Err(error) = forgotten {
                    log::warn!("{error}; a cached session may remain");
                }
                Cache::Own(None)
            }
            Ok(database) => Cache::Shared(database),
            Err(error) => {
                log::warn!("{error}; sessions are not kept");
                Cache::Own(None)
            }
        };
        Session {
            directory: directory.to_owned(),
            identity: identity.clone(),
            lock_name: Identity { password: SecretString::default(), ..identity.clone() }.fingerprint(key),
            seal: Seal::new(PURPOSE, &fingerprint, key),
            fingerprint,
            ttl,
            cache: RefCell::new(cache),
        }
    }

    /// A session that neither uses nor fills the cache: to try credentials out.
    pub fn alone(identity: &Identity) -> Self {
        Session {
            directory: PathBuf::new(),
            identity: identity.clone(),
            lock_name: String::new(),
            seal: Seal::new(PURPOSE, "", &identity.password),
            fingerprint: String::new(),
            ttl: Duration::ZERO,
            cache: RefCell::new(Cache::Own(None)),
        }
    }

    /// A token to use now: the cached one while it is young enough, else the answer of `login`. While one process logs
    /// in, the others wait for it.
    pub fn token(&self, login: &mut dyn FnMut() -> Result<SecretString>) -> Result<SecretString> {
        if let Some(token) = self.cached() {
            return Ok(token);
        }
        if !self.is_shared() {
            return self.log_in(login);
        }
        let began = boot::now_ms();
        let _lock = match self.login_lock() {
            Ok(lock) => Some(lock),
            Err(error) => {
                log::warn!("{error}; logging in without waiting for others");
                None
            }
        };
        if let Some(token) = self.cached() {
            return Ok(token);
        }
        if let Some(refusal) = self.refusal_since(began) {
            return Err(refusal);
        }
        self.log_in(login)
    }

    /// Forgets `token` because VMmanager did not accept it; a newer one of another process stays.
    pub fn reject(&self, token: &SecretString) {
        let dropped = match &mut *self.cache.borrow_mut() {
            Cache::Own(own) => {
                own.take_if(|own| own.expose_secret() == token.expose_secret());
                Ok(())
            }
            Cache::Shared(database) => database.write(|transaction| {
                let sql = "SELECT token FROM session WHERE identity = ?1";
                let sealed =
                    transaction.query_row(sql, [&self.fingerprint], |row| row.get::<_, Vec<u8>>(0)).optional()?;
                let kept = sealed.and_then(|sealed| self.seal.open(&sealed));
                if kept.is_some_and(|kept| kept.expose_secret() == token.expose_secret()) {
                    transaction.execute("DELETE FROM session WHERE identity = ?1", [&self.fingerprint])?;
                }
                Ok(())
            }),
        };
        self.or_alone(dropped);
    }

    fn is_shared(&self) -> bool {
        matches!(*self.cache.borrow(), Cache::Shared(_))
    }

    /// The token that is young enough, if there is one.
    fn cached(&self) -> Option<SecretString> {
        let ttl = milliseconds(self.ttl);
        let found = match &mut *self.cache.borrow_mut() {
            Cache::Own(token) => return token.clone(),
            Cache::Shared(database) => database.read(|transaction| {
                let now = boot::now_ms();
                let sql = "SELECT token FROM session
                           WHERE identity = ?1 AND boot = ?2 AND obtained > ?3 AND obtained <= ?4";
                let mut query = transaction.prepare_cached(sql)?;
                let values = params![self.fingerprint, boot::id(), now - ttl, now];
                Ok(query.query_row(values, |row| row.get::<_, Vec<u8>>(0)).optional()?)
            }),
        };
        self.seal.open(&self.or_alone(found).flatten()?)
    }

    fn log_in(&self, login: &mut dyn FnMut() -> Result<SecretString>) -> Result<SecretString> {
        let obtained = boot::now_ms();
        fault::point("session.before_login");
        let answer = login();
        fault::point("session.after_login");
        let stored = match &answer {
            Ok(token) => self.store(token, obtained),
            Err(error) if error.kind == Kind::Vm6Auth => self.store_refusal(error),
            Err(_) => Ok(()),
        };
        self.or_alone(stored);
        fault::point("session.stored");
        if let (Cache::Own(own), Ok(token)) = (&mut *self.cache.borrow_mut(), &answer) {
            *own = Some(token.clone());
        }
        answer
    }

    fn store(&self, token: &SecretString, obtained: i64) -> Result<()> {
        let Cache::Shared(database) = &mut *self.cache.borrow_mut() else { return Ok(()) };
        let Identity { url, username, .. } = &self.identity;
        let Some(sealed) = self.seal.close(token) else { return Ok(()) };
        database.write(|transaction| {
            let sql = "DELETE FROM session WHERE boot <> ?1 OR obtained + ttl <= ?2";
            transaction.execute(sql, params![boot::id(), boot::now_ms()])?;
            let sql = "DELETE FROM refusal WHERE boot <> ?1 OR identity = ?2";
            transaction.execute(sql, params![boot::id(), self.fingerprint])?;
            let sql = "INSERT OR REPLACE INTO session (identity, url, username, token, boot, obtained, ttl)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let ttl = milliseconds(self.ttl);
            transaction.execute(sql, params![self.fingerprint, url, username, sealed, boot::id(), obtained, ttl])?;
            Ok(())
        })
    }

    fn store_refusal(&self, refusal: &Error) -> Result<()> {
        let Cache::Shared(database) = &mut *self.cache.borrow_mut() else { return Ok(()) };
        database.write(|transaction| {
            let sql = "INSERT OR REPLACE INTO refusal (identity, object, value, cure, boot, at)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let Error { object, text, cure, .. } = refusal;
            transaction.execute(sql, params![self.fingerprint, object, text, cure, boot::id(), boot::now_ms()])?;
            Ok(())
        })
    }

    /// The refusal that another process got after the moment `began`.
    fn refusal_since(&self, began: i64) -> Option<Error> {
        let Cache::Shared(database) = &mut *self.cache.borrow_mut() else { return None };
        let found = database.read(|transaction| {
            let sql = "SELECT object, value, cure FROM refusal WHERE identity = ?1 AND boot = ?2 AND at > ?3";
            let refusal = transaction
                .query_row(sql, params![self.fingerprint, boot::id(), began], |row| {
                    let error = Error::new(Kind::Vm6Auth, row.get::<_, String>(0)?, row.get::<_, String>(1)?);
                    Ok(match row.get::<_, Option<String>>(2)? {
                        Some(cure) => error.cure(cure),
                        None => error,
                    })
                })
                .optional()?;
            Ok(refusal)
        });
        found.ok().flatten()
    }

    /// One lock an address and user, whatever the password: the files stay.
    fn login_lock(&self) -> Result<Lock> {
        let directory = self.directory.join("login");
        prepare_directory(&directory)?;
        let path = directory.join(&self.lock_name);
        let Identity { url, username, .. } = &self.identity;
        let mut waits = || log::info!("waiting for another process that logs in to {url} as {username}");
        Lock::at(&path, &mut waits).map_err(|e| failure::io(&path, "the login lock cannot be taken", &e))
    }

    /// A cache that fails is not asked again: this process goes on alone.
    fn or_alone<T>(&self, answer: Result<T>) -> Option<T> {
        answer
            .inspect_err(|error| {
                log::warn!("{error}; the session is not shared with other processes");
                *self.cache.borrow_mut() = Cache::Own(None);
            })
            .ok()
    }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The cached sessions that are still used, by address and user.
pub fn list(directory: &Path) -> Result<Vec<Cached>> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    Database::at(directory, &RUNTIME)?.read(|transaction| {
        let sql = "SELECT url, username, obtained, ttl FROM session
                   WHERE boot = ?1 AND obtained <= ?2 AND obtained + ttl > ?2 ORDER BY url, username";
        let mut query = transaction.prepare(sql)?;
        let rows = query.query_map(params![boot::id(), boot::now_ms()], |row| {
            let ttl = u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0);
            Ok(Cached {
                url: row.get(0)?,
                username: row.get(1)?,
                age: boot::since_ms(row.get(2)?),
                ttl: Duration::from_millis(ttl),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    })
}

/// Drops the cached sessions of an address, or all; returns how many.
pub fn drop_cached(directory: &Path, url: Option<&str>) -> Result<usize> {
    if !directory.exists() {
        return Ok(0);
    }
    Database::at(directory, &RUNTIME)?
        .write(|transaction| Ok(transaction.execute("DELETE FROM session WHERE ?1 IS NULL OR url = ?1", [url])?))
}
