//! A recipe's parameters in an order: `recipe_edition` of the order fills `EDITION` of the recipe.

use crate::error::{Error, Kind, Result};

/// What the names of the order's parameters for recipes begin with.
pub const PREFIX: &str = "recipe_";
/// Characters of a value; a client writes it.
const LONGEST: usize = 1000;

/// The parameter of an order that fills a recipe's parameter.
pub fn filling(asked: &str) -> String {
    format!("{PREFIX}{}", plain(asked))
}

/// Whether a parameter of an order is for a recipe's parameter. Case does not count, and what a name in BILLmanager
/// cannot have is `_` there.
pub fn fills(ordered: &str, asked: &str) -> bool {
    ordered.strip_prefix(PREFIX).is_some_and(|name| plain(name) == plain(asked))
}

/// Refuses a value that no recipe is meant to get. It may be a secret, so it is not repeated.
pub fn check(ordered: &str, value: &str) -> Result<()> {
    let wrong = if value.contains(char::is_control) {
        "has control characters (a line break is one)".to_owned()
    } else if value.chars().count() > LONGEST {
        format!("is longer than {LONGEST} characters")
    } else {
        return Ok(());
    };
    let error =
        Error::new(Kind::BadParam, ordered, format!("the value of the order's parameter \"{ordered}\" {wrong}"));
    Err(error.cure("correct it in the order"))
}

fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_orders_and_recipes() {
        for asked in ["EDITION", "edition", "Edition"] {
            assert!(fills("recipe_edition", asked) && fills("recipe_EDITION", asked));
        }
        assert!(fills("recipe_site_title", "SITE-TITLE") && filling("Site title") == "recipe_site_title");
        for other in ["edition", "recipe", "recipe_", "recipe_edition2", "xrecipe_edition"] {
            assert!(!fills(other, "EDITION"), "{other}");
        }
    }
}
