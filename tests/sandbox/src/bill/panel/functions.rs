//! Every panel function that a processing module uses [protocol 3.29], by name.

use super::answer::{Answer, Refusal};
use super::request::Request;
use super::{address, enumeration, import, itemtype, operation, param, post, processing, service, system};

/// A panel function.
pub(super) struct Function {
    /// It changes something only when confirmed with `sok=ok`, and is refused otherwise.
    pub sok: bool,
    pub run: fn(&mut Request) -> Result<Answer, Refusal>,
}

const fn confirmed(run: fn(&mut Request) -> Result<Answer, Refusal>) -> Function {
    Function { sok: true, run }
}

const fn immediate(run: fn(&mut Request) -> Result<Answer, Refusal>) -> Function {
    Function { sok: false, run }
}

/// The function of a name; `None` for a name that the panel does not know.
pub(super) fn find(name: &str) -> Option<Function> {
    if post::is_known(name) {
        return Some(confirmed(post::post));
    }
    Some(match name {
        "vds.open" => confirmed(service::open),
        "service.setexpiredate" => immediate(service::set_expire_date),
        "service.setstatus" => immediate(service::set_status),
        "service.getnextmodule" => immediate(service::next_module),
        "service.changepricelist.rollback" => confirmed(service::rollback_tariff),
        "service.saveparam" => confirmed(param::save),
        "service.dropparam" => confirmed(param::drop),
        "service.ip.add" => confirmed(address::add),
        "service.ip.add.commit" => confirmed(address::commit),
        "service.ip.del" => confirmed(address::delete),
        "itemtype.param.value.sync" => immediate(itemtype::sync_value),
        "itemtype.param.value.processing.suspend" => immediate(itemtype::suspend_value),
        "enumerationitem.edit" => confirmed(enumeration::add_item),
        "processing.setconfig" => immediate(processing::set_config),
        "processing.edit" => immediate(processing::edit),
        "processing.saveparam" => immediate(processing::save_param),
        "service.poststat" => immediate(processing::post_stat),
        "processing.import.service" => confirmed(import::service),
        "processing.import.assign" => confirmed(import::assign),
        "runningoperation.edit" => immediate(operation::edit),
        "runningoperation.setmanual" => immediate(operation::set_manual),
        "runningoperation.delete" => immediate(operation::delete),
        "runningoperation.taskcreate" => immediate(operation::create_task),
        "task.gettype" => immediate(operation::task_type),
        "task.edit" => confirmed(operation::edit_task),
        "problems.register" => confirmed(system::register_problem),
        "paramlist" => immediate(system::options),
        _ => return None,
    })
}
