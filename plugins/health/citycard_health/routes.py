"""Health's addresses: what is where, who may use it, and what it takes and gives.

What answers is in ``web``, ``appointmentweb``, ``recordweb`` and ``pages``, which are imported with the first
request: opening a city does without them, and without what they work with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from citycard.kernel.outside import PUBLIC, Route, entering
from citycard_health.permissions import (
    BOOK,
    CHARGE,
    KEEP_DESK,
    KEEP_RECORDS,
    MANAGE,
    READ_CLAIMS,
    READ_DESK,
    READ_RECORDS,
    RETURN,
    SPEND,
)

if TYPE_CHECKING:
    from citycard_health.settings import HealthSettings

__all__ = ["routes"]

_HOME = "citycard_health."


def routes(settings: HealthSettings) -> Iterator[Route]:
    """Declare every endpoint of health: those for programs, the records', and the pages."""
    yield from _appointments(settings)
    yield from _visits(settings)
    yield from _sports(settings)
    yield from _insurers(settings)
    yield from _records(settings)
    yield from _pages(settings)


def _appointments(settings: HealthSettings) -> Iterator[Route]:
    where, made = "appointmentweb", "booking:DoctorAppointment"
    slots = "Doctors' slots that have a place left."
    yield _get("/slots", f"{where}:slots", PUBLIC, f"{where}:FreeSlots", slots, settings)
    expected = "Who is expected at a clinic on a day."
    yield _get("/clinics/{clinic}/day", f"{where}:day", READ_DESK, "booking:ClinicDay", expected, settings)
    book, act = f"{where}:AppointmentToBook", "asking:HealthAct"
    yield _post("/appointments", f"{where}:make", BOOK, book, made, "Book a slot for a card.", settings)
    one = "/appointments/{id}"
    yield _post(f"{one}/cancel", f"{where}:drop", BOOK, act, made, "Cancel an appointment.", settings)
    yield _post(f"{one}/check-in", f"{where}:check_in", KEEP_DESK, act, made, "Note that a patient came.")


def _visits(settings: HealthSettings) -> Iterator[Route]:
    view, one = "web:VisitView", "/visits/{id}"
    charged = "Charge a visit, split between its payers."
    yield _post("/visits", "web:charge", CHARGE, "web:VisitToCharge", view, charged, settings)
    yield _get(one, "web:show", READ_DESK, view, "A visit: who pays which part, and what is left to pay.")
    back = "Give back lines of a visit to those who paid them."
    yield _post(f"{one}/returns", "web:give_back", RETURN, "web:VisitToReturn", "returns:VisitReturned", back)


def _sports(settings: HealthSettings) -> Iterator[Route]:
    paid, told = "sports:SportPayment", "Pay sports by social security."
    yield _post("/sports", "web:pay", SPEND, "web:SportToPay", paid, told, settings)
    told = "Give back a payment for sports."
    yield _post("/sports/{id}/return", "web:back", SPEND, "asking:HealthAct", paid, told)


def _insurers(settings: HealthSettings) -> Iterator[Route]:
    one, listed = "/insurers/{insurer}", "An insurer's statements."
    yield _get(f"{one}/statements", "web:statements", READ_CLAIMS, "web:StatementList", listed, settings)
    closed, statement = "Close an insurer's month.", "claims:ClaimStatement"
    act = "asking:HealthAct"
    yield _post(f"{one}/months/{{month}}", "web:close", MANAGE, act, statement, closed, settings)
    yield _get(
        "/statements/{id}/claims", "web:claims", READ_CLAIMS, "", "The claim file of a statement, as CSV."
    )


def _records(settings: HealthSettings) -> Iterator[Route]:
    where, one = "recordweb", "/patients/{card}"
    told = "What is known of a patient, and which doses are due."
    yield _get(f"{one}/record", f"{where}:record", READ_RECORDS, f"{where}:HealthRecord", told, settings)
    for word, endpoint, answer, told in (
        ("summary", "summary", "", "A patient's record as an HL7 FHIR document (R4)."),
        ("certificate", "certified", "vaccines:VaccineCertificate", "A signed certificate of vaccinations."),
        ("readings", "readings", f"{where}:ReadingsList", "Who read a patient's data, and why."),
    ):
        yield _get(f"{one}/{word}", f"{where}:{endpoint}", READ_RECORDS, answer, told)
    person, added, keep = "patients:PatientPerson", f"{where}:EntriesAdded", KEEP_RECORDS
    yield _post(f"{one}/person", f"{where}:person", keep, person, person, "Say who a patient is.")
    told = "Add allergies, conditions and medication."
    yield _post(f"{one}/entries", f"{where}:entries", keep, f"{where}:EntriesToAdd", added, told)
    dose, entry = f"{where}:DoseGiven", "records:RecordEntry"
    yield _post(f"{one}/doses", f"{where}:dose", keep, dose, entry, "Record a dose of a vaccine.", settings)
    yield _post(f"{one}/summary", f"{where}:take_in", keep, "", added, "Take in an HL7 FHIR document (R4).")


def _pages(settings: HealthSettings) -> Iterator[Route]:
    mine = "A citizen's own health: appointments, visits, doses."
    yield _get("/mine", "pages:mine", READ_RECORDS, "", mine, settings)
    yield _post("/mine/book", "pages:make", BOOK, "", "", "Book a slot on the own page.", settings)
    yield _post(
        "/mine/cancel", "pages:drop", BOOK, "", "", "Cancel an appointment on the own page.", settings
    )
    desk = "The day of clinics, and what insurers and venues owe and took."
    yield _get("/desk", "pages:desk", READ_DESK, "", desk, settings)


def _get(
    path: str, endpoint: str, permission: str, answer: str, summary: str, *bound: HealthSettings
) -> Route:
    return Route(
        path=path,
        endpoint=entering(_HOME + endpoint, *bound),
        permission=permission,
        response=_HOME + answer if answer else None,
        summary=summary,
    )


def _post(
    path: str, endpoint: str, permission: str, body: str, answer: str, summary: str, *bound: HealthSettings
) -> Route:
    return Route(
        path=path,
        endpoint=entering(_HOME + endpoint, *bound),
        methods=("POST",),
        permission=permission,
        request=_HOME + body if body else None,
        response=_HOME + answer if answer else None,
        summary=summary,
    )
