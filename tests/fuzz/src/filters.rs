//! E-mails in the `where` parameter of VMmanager's lists: a client chooses his own.

use std::cell::OnceCell;

use sandbox::vmm::selects;
use serde_json::json;

use crate::server::Server;

thread_local! {
    static SERVER: OnceCell<Server> = const { OnceCell::new() };
}

/// A filter selects the one account it was made for, as the simulated platform reads it: no e-mail can widen it. An
/// e-mail that no filter can hold is searched for in the whole list.
pub fn check(bytes: &[u8]) {
    let email = String::from_utf8_lossy(bytes);
    SERVER.with(|server| look_up(server.get_or_init(Server::start), &email));
}

fn look_up(server: &Server, email: &str) {
    server.answer(200, br#"{"list":[],"metadata":{"full_size":0}}"#);
    let found = server.client.account_by_email(email).expect("the server answers");
    assert!(found.is_none());
    let targets = server.targets();
    let [target] = targets.as_slice() else { panic!("one request was expected: {targets:?}") };
    let Some(filter) = target.split_once("where=").map(|(_, filter)| decode(filter)) else {
        return assert!(
            email.contains(['\'', '"', '\\']) || email.chars().any(char::is_control),
            "no filter for {email:?}"
        );
    };
    let selected = |email: &str| selects(&filter, &json!({ "email": email })).expect("a filter that VMmanager reads");
    assert!(selected(email), "{filter} does not select {email:?}");
    for other in ["", "somebody.else@example.com", &format!("{email}x"), &format!("x{email}")] {
        assert!(other == email || !selected(other), "{filter} selects {other:?} too");
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.split('%');
    bytes.extend(rest.next().unwrap_or_default().bytes());
    for part in rest {
        let (hex, plain) = part.split_at_checked(2).expect("two digits follow a percent sign");
        bytes.push(u8::from_str_radix(hex, 16).expect("hexadecimal digits"));
        bytes.extend(plain.bytes());
    }
    String::from_utf8(bytes).expect("UTF-8")
}
