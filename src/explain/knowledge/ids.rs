//! Names of causes and layers in the files; an unknown one is an error where it stands.

use serde::de::{Deserialize, Deserializer, Error};

use crate::model::{Cause, Refuser};

impl<'de> Deserialize<'de> for Cause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        id.parse().map_err(|()| D::Error::custom(format!("no cause {id:?}; `why403 explain` lists them")))
    }
}

impl<'de> Deserialize<'de> for Refuser {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        let layers =
            [Self::Application, Self::Gateway, Self::Waf, Self::Cdn, Self::WebServer, Self::OutboundProxy];
        let known = layers.into_iter().find(|layer| layer.as_str() == id);
        known.ok_or_else(|| {
            D::Error::custom(format!(
                "no layer {id:?} (application, gateway, waf, cdn, web-server, outbound-proxy)"
            ))
        })
    }
}
