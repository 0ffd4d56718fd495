//! Every path that the platform answers, with the rights it needs.

use super::asked::Asked;
use super::{
    Handler, about, account, address, auth, catalogue, create, host, metrics, network, power, resource, schedule,
    software, ssh_key, task,
};

/// Rights needed for a route.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
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

/// Method, path (`*` is any one segment), rights, handler.
pub(super) struct Route(pub(super) &'static str, pub(super) &'static str, pub(super) Access, pub(super) Handler);

impl Route {
    /// What stands in place of each `*`, if the request is this route's.
    pub(super) fn matches<'a>(&self, asked: &'a Asked) -> Option<Vec<&'a str>> {
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
pub(super) const ROUTES: &[Route] = &[
    Route("POST", "/auth/v4/public/token", Access::Public, auth::log_in),
    Route("POST", "/auth/v4/public/key", Access::Public, auth::spend_key),
    Route("POST", "/auth/v4/token", Access::Session, auth::long_lived_token),
    Route("DELETE", "/auth/v4/token/*", Access::Session, auth::log_out),
    Route("GET", "/auth/v4/whoami", Access::Session, auth::whoami),
    Route("GET", "/auth/v4/user", Access::Admin, auth::users),
    Route("POST", "/auth/v4/user/*/key", Access::Admin, auth::make_key),
    Route("GET", "/auth/v3/user/*/sshkey", Access::User, ssh_key::list),
    Route("POST", "/auth/v3/user/*/sshkey", Access::User, ssh_key::add),

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

    Route("GET", "/vm/v3/schedule", Access::Admin, schedule::list),
    Route("POST", "/vm/v3/schedule/*", Access::Admin, schedule::edit),

    Route("GET", "/vm/v3/task", Access::User, task::list),
    Route("GET", "/vm/v3/task/*", Access::User, task::one),

    Route("GET", "/vm/v3/version", Access::User, about::version),
    Route("GET", "/vm/v3/last_version", Access::User, about::version),
    Route("GET", "/vm/v3/get_license", Access::User, about::licence),
    Route("GET", "/vm/v3/instance_info", Access::Admin, about::instance),
    Route("GET", "/vm/v3/api", Access::Admin, about::api),
    Route("GET", "/swagger/", Access::Public, about::page),
    Route("GET", "/swagger/swagger-initializer.js", Access::Public, about::script),
    Route("GET", "/swagger/config.json", Access::Public, about::configuration),
    Route("GET", "/swagger/auth_v4.json", Access::Public, about::of_sessions),
    Route("GET", "/swagger/vm.json", Access::Admin, about::of_vms),
    Route("GET", "/vm/v3/settings", Access::Admin, about::settings),
    Route("GET", "/vm/v3/settings/*", Access::Admin, about::setting),
];
