//! Ids as columns of our databases.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};

use crate::id::{AccountId, ClientId, ClusterId, OperationId, PlatformId, ServiceId, TariffId, TaskId, VmId};

macro_rules! columns {
    ($($name:ident),+ $(,)?) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let number = i64::try_from(self.get());
                number.map(Into::into).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                u64::column_result(value).map(Self::from)
            }
        }
    )+};
}

columns!(AccountId, ClientId, ClusterId, OperationId, PlatformId, ServiceId, TariffId, TaskId, VmId);
