use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::run::AutoHeal;
use crate::state::State;
use crate::{TestScript, catalogue};

pub(crate) fn run_suite(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    start(state, call, catalogue::all())
}

pub(crate) fn run_collection(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let id = call.parameter("id");
    let unknown = || Refusal::not_found(format!("there is no collection `{id}`"));
    start(
        state,
        call,
        catalogue::of_collection(id).ok_or_else(unknown)?,
    )
}

pub(crate) fn run_tests(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let ids = call.body.needed_identifiers("testIds")?;
    start(state, call, ids.into_iter().map(catalogue::test).collect())
}

pub(crate) fn run_grep(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let pattern = call.body.needed_pattern("grep")?;
    let tests = catalogue::by_pattern(pattern);
    Ok(Answer::ok(state.start_run(tests, None, call.now)))
}

pub(crate) fn run_grep_v2(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let pattern = call.body.needed_pattern("grep")?;
    call.body.string("branch")?;
    call.body.strings_by_name("envOverrides")?;
    start(state, call, catalogue::by_pattern(pattern))
}

fn start(state: &mut State, call: &Call, tests: Vec<TestScript>) -> Result<Answer, Refusal> {
    let block = call.body.object("autoHeal")?;
    let auto_heal = match &block {
        Some(block) => Some(AutoHeal {
            repository: block.healing()?,
        }),
        None => None,
    };
    Ok(Answer::ok(state.start_run(tests, auto_heal, call.now)))
}

pub(crate) fn get_run_status(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    look(state, call, "v1")
}

pub(crate) fn get_run_status_v2(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    look(state, call, "v2")
}

fn look(state: &mut State, call: &Call, version: &str) -> Result<Answer, Refusal> {
    let job_name = call.parameter("jobName");
    let unknown = || Refusal::not_found(format!("there is no run `{job_name}`"));
    let answer = state.look_at_run(job_name, version, call.now);
    answer.map(Answer::ok).ok_or_else(unknown)
}
