"""A doctor brings a calendar to Relais, and connects a device to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import expect

from scheduler.core.permissions import Role
from tests.browser.conftest import Visit
from tests.browser.site import DEVICES, Visitor
from tests.calendars.imports.test_sources import calendar

PAGE: Final = "/calendars/imports/"
both_devices = pytest.mark.parametrize("device", ["desktop", "phone"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Monday to Friday of one week, and what cannot be read."""
    days = [
        ("Cours de chant", f"202612{day:02d}T083000", f"202612{day:02d}T183000")
        for day in range(7, 12)
    ]
    path = tmp_path / "mon agenda.ics"
    path.write_bytes(calendar(*days, ("Sans fin", "20261214T100000", "20261214T090000")))
    return path


def look(visitor: Visitor, name: str) -> None:
    """Keep the page in both schemes; nothing sticks out and axe finds nothing."""
    for scheme in ("light", "dark"):
        visitor.prefer(scheme)
        visitor.keep(name)
        visitor.assert_no_axe_findings()
    wide = visitor.page.evaluate("Math.max(document.documentElement.scrollWidth, innerWidth)")
    assert wide <= DEVICES[visitor.device]["viewport"]["width"]


@both_devices
def test_a_file_is_looked_at_kept_and_let_go_of(visit: Visit, device: str, file: Path) -> None:
    visitor = visit(Role.REPLACEMENT, device)
    page = visitor.go(PAGE)
    page.set_input_files("input[type=file]", file)
    page.locator("#file-form button[type=submit]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ce qui changerait")
    expect(page.locator("main")).to_contain_text("Cours de chant")
    look(visitor, "imports-preview")
    page.get_by_role("button", name="Oui, en tenir compte").click()
    expect(page).to_have_url(re.compile(f"{PAGE}$"))
    card = page.locator("section.card", has_text="mon agenda")
    expect(card).to_be_visible()
    look(visitor, "imports-kept")
    card.locator("[data-dialog]").click()
    visitor.assert_no_axe_findings()
    page.locator("dialog[open] button.is-danger").click()
    expect(page.locator("main")).to_contain_text("Aucun agenda pour l’instant")


@both_devices
def test_days_are_taken_from_a_file_by_a_second_yes(visit: Visit, device: str, file: Path) -> None:
    visitor = visit(Role.REPLACEMENT, device)
    page = visitor.go(PAGE)
    page.set_input_files("input[type=file]", file)
    page.get_by_role("radio", name="Les journées que je prends").check()
    page.locator("#file-form button[type=submit]").click()
    ticked = page.locator("main input[name=need]:checked")
    expect(ticked.first).to_be_visible()
    look(visitor, "imports-claim")
    page.get_by_role("button", name="Prendre les journées cochées").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("prise")
    look(visitor, "imports-claimed")


@both_devices
def test_a_device_password_is_shown_once(visit: Visit, device: str) -> None:
    visitor = visit(Role.REPLACEMENT, device)
    page = visitor.go("/calendars/devices/")
    page.get_by_role("button", name="Créer un mot de passe d’appareil").click()
    expect(page).to_have_url(re.compile("/password$"))
    password = page.locator("main code, main output, main input[readonly]").first
    expect(password).to_be_visible()
    look(visitor, "device-password")
    page.reload()
    page.goto("/calendars/devices/")
    expect(page.get_by_role("heading", level=2, name="Vos appareils")).to_be_visible()
