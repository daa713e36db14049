"""Capture: messages in, jobs to follow."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from satchel.api.access import AnyRequest, TheDaemon, check_profile, sees, visible_profiles
from satchel.api.schemas import Accepted, JobAnswer, JobList
from satchel.capture.normalise import Captured
from satchel.store import jobs
from satchel.types import JobStatus, NotFoundError


class CaptureController(Controller):
    path = "/v1"
    tags = ("capture",)

    @post("/messages", status_code=202, opt={"scope": "capture"})
    async def capture(self, request: AnyRequest, data: JSONBody[Captured], daemon: TheDaemon) -> Accepted:
        """Captures turns of a conversation. Answered when they are on disk; sent again, they change nothing.

        Turns that the user forgot are acknowledged and not stored: they count as `duplicates`, and in `forgotten`.
        """
        check_profile(request, data.profile)
        recorded = await daemon.capture(data)
        return Accepted(
            conversation_id=recorded.conversation_id,
            message_ids=recorded.message_ids,
            accepted=recorded.accepted,
            duplicates=recorded.duplicates,
            forgotten=recorded.forgotten,
            job_id=recorded.job_id,
        )

    @get("/jobs/{job_id:str}")
    async def job(self, request: AnyRequest, job_id: FromPath[str], daemon: TheDaemon) -> JobAnswer:
        """How far the reading of some messages is."""
        if not sees(request, await daemon.store.read(lambda db: jobs.profile_of(db, job_id))):
            raise NotFoundError(f"There is no job {job_id[:64]!r}.")
        return JobAnswer.of(await daemon.store.read(lambda db: jobs.job(db, job_id)))

    @get("/jobs", opt={"scope": "manage"})
    async def jobs(
        self, request: AnyRequest, daemon: TheDaemon, status: Annotated[JobStatus, QueryParameter()] = "failed"
    ) -> JobList:
        """Jobs in one state, latest first; without `status`, the dead letters."""
        profiles = visible_profiles(request)
        found = await daemon.store.read(lambda db: jobs.listed(db, status, profiles=profiles))
        return JobList(items=[JobAnswer.of(job) for job in found])

    @post("/jobs/{job_id:str}/retry", status_code=202, opt={"scope": "manage"})
    async def retry(self, request: AnyRequest, job_id: FromPath[str], daemon: TheDaemon) -> JobAnswer:
        """Gives a failed job a fresh start."""
        if not sees(request, await daemon.store.read(lambda db: jobs.profile_of(db, job_id))):
            raise NotFoundError(f"There is no job {job_id[:64]!r}.")
        job = await daemon.store.write(lambda tx: jobs.retry(tx, job_id))
        daemon.wake()
        return JobAnswer.of(job)
