//! The API: who may call what, and which function answers it.
//!
//! [`ROUTES`] is the whole surface. A request goes: unreadable body → 400; not GET, POST or DELETE → 405; token → 401;
//! path → 1106; rights → 3001; licence → 3001; then the handler, which checks its body against a schema first.

mod about;
mod account;
mod address;
mod auth;
mod catalogue;
mod create;
mod host;
mod list;
mod metrics;
mod network;
mod power;
mod resource;
mod software;
mod task;

use std::net::IpAddr;
use std::time::Instant;

use serde_json::{Map, Value};

use super::error::ApiError;
use super::http::Incoming;
use super::model::{Account, Host};
use super::platform::Platform;
use super::request::Request;
use super::schema::{self, Field};

pub(super) use account::LIMITS;

/// A request as the API sees it.
#[derive(Debug)]
pub(super) struct Asked {
    pub method: String,
    /// Decoded.
    pub path: String,
    pub token: Option<String>,
    segments: Vec<String>,
    query: String,
    parameters: Vec<(String, String)>,
    body: Result<Option<Value>, String>,
    client: IpAddr,
    at: Instant,
}

impl Asked {
    pub fn new(request: Incoming, client: IpAddr) -> Self {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let segments: Vec<String> = path.trim_start_matches('/').split('/').map(|s| decoded(s, false)).collect();
        let parameters = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name, true), decoded(value, true))
        });
        let body = match request.body.as_slice() {
            [] => Ok(None),
            bytes => serde_json::from_slice(bytes).map(Some).map_err(|error| error.to_string()),
        };
        Self {
            path: format!("/{}", segments.join("/")),
            segments,
            query: query.to_owned(),
            parameters: parameters.collect(),
            token: token(&request),
            body,
            client,
            at: Instant::now(),
            method: request.method,
        }
    }

    /// What a test gets to read of it.
    pub fn record(&self) -> Request {
        Request {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            body: self.body.clone().ok().flatten(),
            status: None,
            token: self.token.clone(),
            at: self.at,
        }
    }

    /// Whether it asks for a token with a password.
    pub fn is_login(&self) -> bool {
        self.method == "POST" && self.path == "/auth/v4/public/token"
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// The token of a request: header, other header or cookie [api 1.3].
fn token(request: &Incoming) -> Option<String> {
    let cookie = || {
        let cookies = request.header("cookie")?.split(';');
        cookies.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == "ses6").map(|(_, value)| value)
    };
    let headers = ["x-xsrf-token", "isp-session"].iter().find_map(|name| request.header(name));
    headers.or_else(cookie).filter(|token| !token.is_empty()).map(str::to_owned)
}

/// Percent-decoding; in a query a `+` is a blank.
fn decoded(text: &str, plus_is_blank: bool) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let hex = tail
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) if plus_is_blank => {
                bytes.push(b' ');
                rest = tail;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Rights needed for a route.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// No token.
    Public,
    /// Everybody who is signed in, for his own session.
    Session,
    /// Everybody who is signed in, for his own objects.
    User,
    /// Users who may make and change VMs, for their own objects.
    Advanced,
    /// Administrators.
    Admin,
}

/// Who asks.
struct Who {
    account: u64,
    admin: bool,
    read_only: bool,
    advanced: bool,
}

impl Who {
    fn new(account: &Account) -> Self {
        let is = |role: &str| account.roles.iter().any(|r| r == role);
        let read_only = account.roles.iter().any(|role| role.contains("admin.readonly"));
        Self { account: account.id, admin: is("@admin"), read_only, advanced: is("@advanced_user") }
    }

    fn sees_all(&self) -> bool {
        self.admin || self.read_only
    }

    fn may(&self, access: Access, method: &str) -> bool {
        match access {
            Access::Public | Access::Session => true,
            _ if self.admin => true,
            _ if self.read_only => method == "GET",
            Access::User => true,
            Access::Advanced => self.advanced,
            Access::Admin => false,
        }
    }
}

type Answer = Result<Value, ApiError>;
type Handler = fn(&mut Call<'_>) -> Answer;

/// One call of a handler.
struct Call<'a> {
    platform: &'a mut Platform,
    who: Who,
    /// What stood in place of each `*` of the route.
    wild: Vec<&'a str>,
    asked: &'a Asked,
    now: Instant,
    /// Status of a good answer.
    status: u16,
}

impl Call<'_> {
    /// The body, checked against its description.
    fn body(&self, fields: &[&[Field]]) -> Result<Map<String, Value>, ApiError> {
        schema::check(self.asked.body.as_ref().ok().and_then(Option::as_ref), fields)
    }

    /// The number in the n-th place of the path.
    fn id(&self, n: usize) -> Result<u64, ApiError> {
        let text = self.wild.get(n).copied().unwrap_or_default();
        text.parse().map_err(|_| ApiError::invalid("id", format!("'{text}' is not a number")))
    }

    /// The VM of the path, if the caller may see it.
    fn host(&self) -> Result<&Host, ApiError> {
        let id = self.id(0)?;
        let host = self.platform.hosts.get(&id).filter(|host| self.sees(host.account));
        host.ok_or_else(|| ApiError::host_unknown(id))
    }

    /// The VM of the path, if it may be worked on: a VM that is being created may not.
    fn ready_host(&self) -> Result<&Host, ApiError> {
        let host = self.host()?;
        if host.state == "creating" {
            return Err(ApiError::refused(format!("VM {} is being created", host.id)));
        }
        Ok(host)
    }

    /// Whether the caller may see what this account owns.
    fn sees(&self, account: u64) -> bool {
        self.who.sees_all() || self.who.account == account
    }

    /// The request's body as a task remembers it.
    fn params(&self) -> Value {
        self.asked.body.clone().ok().flatten().unwrap_or(Value::Null)
    }
}

/// Typed reading of a checked body.
trait Properties {
    fn number(&self, name: &str) -> Option<u64>;
    fn text(&self, name: &str) -> Option<&str>;
    fn flag(&self, name: &str) -> Option<bool>;
    fn ids(&self, name: &str) -> Vec<u64>;
    fn objects(&self, name: &str) -> Vec<&Map<String, Value>>;
}

impl Properties for Map<String, Value> {
    fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(Value::as_u64)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    fn ids(&self, name: &str) -> Vec<u64> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_u64).collect()
    }

    fn objects(&self, name: &str) -> Vec<&Map<String, Value>> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object).collect()
    }
}

/// Works on a request: status and body of the answer.
pub(super) fn respond(platform: &mut Platform, asked: &Asked, now: Instant) -> (u16, Value) {
    match dispatch(platform, asked, now) {
        Ok(answer) => answer,
        Err(error) => (error.status, error.body()),
    }
}

fn dispatch(platform: &mut Platform, asked: &Asked, now: Instant) -> Result<(u16, Value), ApiError> {
    if let Err(reason) = &asked.body {
        return Err(ApiError::bad_query(format!("The body is not JSON: {reason}")));
    }
    if !["GET", "POST", "DELETE"].contains(&asked.method.as_str()) {
        return Err(ApiError::no_method(&asked.method));
    }
    let found = ROUTES.iter().find_map(|route| Some((route, route.matches(asked)?)));
    let public = found.as_ref().is_some_and(|(route, _)| route.2 == Access::Public);
    let who = if public {
        Who { account: 0, admin: false, read_only: false, advanced: false }
    } else {
        identify(platform, asked, now)?
    };
    let (Route(method, _, access, handler), wild) =
        found.ok_or_else(|| ApiError::no_handler(&asked.method, &asked.path))?;
    if !public && !who.may(*access, method) || !platform.licence_valid && !open_without_licence(asked) {
        return Err(ApiError::forbidden());
    }
    let mut call = Call { platform, who, wild, asked, now, status: 200 };
    if *method == "DELETE" {
        call.body(&[])?;
    }
    let body = handler(&mut call)?;
    Ok((call.status, body))
}

fn identify(platform: &mut Platform, asked: &Asked, now: Instant) -> Result<Who, ApiError> {
    let token = asked.token.as_deref().ok_or_else(|| ApiError::unauthorized("Unauthorized"))?;
    let account = platform.sessions.account(token, now).and_then(|id| platform.accounts.get(&id));
    account.map(Who::new).ok_or_else(|| ApiError::unauthorized("Unauthorized"))
}

/// Without a licence nodes, images and VMs are listed, and deletion works [api 1.5].
fn open_without_licence(asked: &Asked) -> bool {
    let listed = ["/auth/", "/vm/v3/node", "/vm/v3/image", "/vm/v3/host", "/vm/v3/task", "/vm/v3/get_license"];
    asked.method == "DELETE"
        || asked.path.starts_with("/auth/")
        || asked.method == "GET" && listed.iter().any(|start| asked.path.starts_with(start))
}

/// Method, path (`*` is any one segment), rights, handler.
struct Route(&'static str, &'static str, Access, Handler);

impl Route {
    /// What stands in place of each `*`, if the request is this route's.
    fn matches<'a>(&self, asked: &'a Asked) -> Option<Vec<&'a str>> {
        if self.0 != asked.method {
            return None;
        }
        let mut wild = Vec::new();
        let mut have = asked.segments.iter();
        for want in self.1.trim_start_matches('/').split('/') {
            match have.next()? {
                segment if want == "*" && !segment.is_empty() => wild.push(segment.as_str()),
                segment if want == segment => {}
                _ => return None,
            }
        }
        have.next().is_none().then_some(wild)
    }
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route("POST", "/auth/v4/public/token", Access::Public, auth::log_in),
    Route("POST", "/auth/v4/public/key", Access::Public, auth::spend_key),
    Route("POST", "/auth/v4/token", Access::Session, auth::long_lived_token),
    Route("DELETE", "/auth/v4/token/*", Access::Session, auth::log_out),
    Route("GET", "/auth/v4/whoami", Access::Session, auth::whoami),
    Route("GET", "/auth/v4/user", Access::Admin, auth::users),
    Route("POST", "/auth/v4/user/*/key", Access::Admin, auth::make_key),

    Route("GET", "/vm/v3/account", Access::User, account::list),
    Route("POST", "/vm/v3/account", Access::Admin, account::create),
    Route("POST", "/vm/v3/user/*", Access::Admin, account::edit),
    Route("DELETE", "/vm/v3/user/*", Access::Admin, account::delete),
    Route("POST", "/vm/v3/user/*/password", Access::Admin, account::password),
    Route("POST", "/vm/v3/user/*/suspend", Access::Admin, account::suspend),
    Route("POST", "/vm/v3/user/*/resume", Access::Admin, account::resume),
    Route("GET", "/vm/v3/user_limits/account/*", Access::Admin, account::limits),
    Route("POST", "/vm/v3/user_limits/account/*", Access::Admin, account::set_limits),
    Route("DELETE", "/vm/v3/user_limits/account/*", Access::Admin, account::drop_limits),

    Route("GET", "/vm/v3/cluster", Access::Admin, catalogue::clusters),
    Route("GET", "/vm/v3/cluster/*", Access::Admin, catalogue::cluster),
    Route("GET", "/vm/v3/node", Access::Admin, catalogue::nodes),
    Route("GET", "/vm/v3/node/*", Access::Admin, catalogue::node),
    Route("GET", "/vm/v3/storage", Access::Admin, catalogue::storages),
    Route("GET", "/vm/v3/os", Access::User, catalogue::os),
    Route("GET", "/vm/v3/os/all", Access::Admin, catalogue::all_os),
    Route("GET", "/vm/v3/image", Access::User, catalogue::images),
    Route("GET", "/vm/v3/repository", Access::Admin, catalogue::repositories),
    Route("GET", "/vm/v3/repository/*", Access::Admin, catalogue::repository),
    Route("GET", "/vm/v3/preset", Access::User, catalogue::presets),
    Route("GET", "/vm/v3/preset/*", Access::User, catalogue::preset),
    Route("GET", "/vm/v3/tag", Access::Admin, catalogue::tags),
    Route("GET", "/vm/v3/recipe", Access::User, catalogue::recipes),
    Route("GET", "/vm/v3/recipe/*/params", Access::User, catalogue::recipe_params),

    Route("POST", "/vm/v3/cluster/*/ippool", Access::Admin, network::attach_to_cluster),
    Route("GET", "/vm/v3/ippool", Access::Admin, network::pools),
    Route("GET", "/vm/v3/ippool/*/cluster", Access::Admin, network::clusters_of),
    Route("POST", "/vm/v3/ippool/*/cluster", Access::Admin, network::attach_pool),
    Route("GET", "/vm/v3/range", Access::Admin, network::ranges),
    Route("GET", "/ip/v3/ip", Access::Admin, network::used_addresses),
    Route("GET", "/ip/v3/ipnet", Access::Admin, network::networks),

    Route("GET", "/vm/v3/host", Access::User, host::list),
    Route("POST", "/vm/v3/host", Access::Advanced, create::create),
    Route("GET", "/vm/v3/host/*", Access::User, host::flat),
    Route("POST", "/vm/v3/host/*", Access::User, host::edit),
    Route("DELETE", "/vm/v3/host/*", Access::Advanced, host::delete),
    Route("GET", "/vm/v3/host/*/metadata", Access::User, host::metadata),
    Route("GET", "/vm/v3/host/*/history", Access::User, host::history),
    Route("POST", "/vm/v3/host/*/account", Access::Admin, host::give_to),
    Route("POST", "/vm/v3/host/*/migrate", Access::Admin, host::migrate),
    Route("GET", "/vm/v3/host/*/metrics", Access::User, metrics::read),
    Route("POST", "/vm/v3/host/*/start", Access::User, power::start),
    Route("POST", "/vm/v3/host/*/stop", Access::User, power::stop),
    Route("POST", "/vm/v3/host/*/restart", Access::User, power::restart),
    Route("POST", "/vm/v3/host/*/password", Access::User, power::password),
    Route("POST", "/vm/v3/host/*/reinstall", Access::User, software::reinstall),
    Route("POST", "/vm/v3/host/*/runrecipe", Access::User, software::run_recipe),
    Route("POST", "/vm/v3/host/*/resource", Access::Advanced, resource::change),
    Route("GET", "/vm/v3/host/*/disk", Access::User, resource::disks_of),
    Route("GET", "/vm/v3/disk", Access::User, resource::disks),
    Route("GET", "/vm/v3/disk/*", Access::User, resource::disk),
    Route("POST", "/vm/v3/disk/*", Access::Advanced, resource::edit_disk),

    Route("GET", "/vm/v3/host/*/ipv4", Access::User, address::v4_of),
    Route("GET", "/vm/v3/host/*/ipv6", Access::User, address::v6_of),
    Route("POST", "/vm/v3/host/*/ip", Access::Admin, address::change),
    Route("GET", "/vm/v3/host/*/ptr", Access::User, address::ptr_list),
    Route("POST", "/vm/v3/host/*/ptr", Access::User, address::set_ptr_by_name),
    Route("GET", "/vm/v3/host/*/iface", Access::User, address::interfaces),
    Route("POST", "/vm/v3/host/*/iface", Access::Admin, address::add_interface),
    Route("DELETE", "/vm/v3/host/*/iface/*", Access::Admin, address::drop_interface),
    Route("GET", "/vm/v3/ip", Access::User, address::list),
    Route("POST", "/vm/v3/ip/*", Access::Admin, address::edit),
    Route("DELETE", "/vm/v3/ip/*", Access::Admin, address::delete),
    Route("POST", "/vm/v3/ip/*/ptr", Access::User, address::set_ptr),

    Route("GET", "/vm/v3/task", Access::User, task::list),
    Route("GET", "/vm/v3/task/*", Access::User, task::one),

    Route("GET", "/vm/v3/version", Access::User, about::version),
    Route("GET", "/vm/v3/last_version", Access::User, about::version),
    Route("GET", "/vm/v3/get_license", Access::User, about::licence),
    Route("GET", "/vm/v3/instance_info", Access::Admin, about::instance),
    Route("GET", "/vm/v3/api", Access::Admin, about::description),
    Route("GET", "/vm/v3/settings", Access::Admin, about::settings),
    Route("GET", "/vm/v3/settings/*", Access::Admin, about::setting),
];
