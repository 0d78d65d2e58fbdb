"""The events of builds, at both ends."""

import msgspec
import pytest

from builds.runs.events import SUBSCRIPTIONS
from builds.runs.types import BuildRequested
from common.contracts import builds
from common.contracts.projects import AccessChanged

_ANNOUNCED = (
    builds.BuildQueued,
    builds.BuildStarted,
    builds.BuildSucceeded,
    builds.BuildFailed,
    builds.BuildCancelled,
    builds.BuildSuperseded,
)


def test_subjects_name_their_owner():
    assert all(event.subject.startswith("builds.build.") for event in _ANNOUNCED)
    assert [s.event for s in SUBSCRIPTIONS] == [AccessChanged]


def test_a_job_is_no_event():
    assert BuildRequested.subject.startswith("jobs.build.")


@pytest.mark.parametrize("event", _ANNOUNCED)
def test_a_reader_passes_over_what_it_does_not_know(event):
    given = {
        "buildId": "01a1fb8e-93f0-739e-9b92-06d042bb5d17",
        "projectId": "01a1fb8e-93f0-739e-9b92-06d042bb5d17",
        "userId": "01a1fb8e-93f0-739e-9b92-06d042bb5d17",
        "actorId": "01a1fb8e-93f0-739e-9b92-06d042bb5d17",
        "supersededBy": "01a1fb8e-93f0-739e-9b92-06d042bb5d17",
        "target": "web",
        "sourceTree": "ab",
        "attempt": 1,
        "durationMs": 5,
        "size": 7,
        "status": "failed",
        "errorCode": "X",
        "errorMessage": "y",
        "somethingNew": [1],
    }
    assert msgspec.convert(given, event).target == "web"
