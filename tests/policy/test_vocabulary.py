"""Names for other programs are whole IRIs of terms that exist, and nothing is called what it is not."""

from dataclasses import replace

import pytest

from cdp.policy import vocabulary
from cdp.policy.terms import Basis, Law
from tests.conftest import shipped_policy

DPV_PURPOSES = {
    "CommunicationForCustomerCare",
    "CustomerCare",
    "DirectMarketing",
    "FulfilmentOfContractualObligation",
    "ImproveExistingProductsAndServices",
    "LegalCompliance",
    "Personalisation",
    "PersonalisedAdvertising",
    "RecordManagement",
}
"""Of the DPV's taxonomy of purposes, those that the shipped policies use."""


def test_every_shipped_purpose_is_a_term_of_the_dpv() -> None:
    terms = shipped_policy()
    found = {vocabulary.purpose_iri(terms, name) for name in terms.purposes}
    assert found <= {f"https://w3id.org/dpv#{name}" for name in DPV_PURPOSES}
    assert vocabulary.purpose_iri(terms, "nonsense") is None


def test_every_ground_of_the_shipped_policies_has_a_whole_iri() -> None:
    for purpose in shipped_policy().purposes.values():
        for law, basis in purpose.bases:
            iris = vocabulary.basis_iris(law, basis)
            assert iris and all(iri.startswith(("https://w3id.org/dpv/", "urn:sekisho:")) for iri in iris), purpose.name


@pytest.mark.parametrize(
    "law, basis, iris",
    [
        (Law.GDPR, Basis("consent"), ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-a"]),
        (
            Law.GDPR,
            Basis("consent", iri="eu-gdpr:A6-1-a-explicit-consent"),
            ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-a-explicit-consent"],
        ),
        (
            Law.GDPR,
            Basis("soft_opt_in", iri="eprivacy:A13-2"),
            ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-a", "urn:sekisho:eprivacy:A13-2"],
        ),
        (Law.APPI, Basis("consent", iri="jp-appi:A28-1-Consent"), ["urn:sekisho:jp-appi:A28-1-Consent"]),
        (Law.APPI, Basis("notified_purpose", iri="foreign:term"), ["urn:sekisho:jp-appi:A17-PurposeOfUse"]),
        (Law.APPI, Basis("a_kind_of_tomorrow"), []),
    ],
)
def test_a_ground_is_called_as_its_purpose_declares_else_as_its_kind(law: Law, basis: Basis, iris: list[str]) -> None:
    assert list(vocabulary.basis_iris(law, basis)) == iris


def test_a_prefix_that_nobody_declared_is_refused() -> None:
    assert vocabulary.expand("jp-appi:A33-Disclosure") == "urn:sekisho:jp-appi:A33-Disclosure"
    with pytest.raises(KeyError):
        vocabulary.expand("schema:name")


def test_a_kind_of_data_without_a_term_is_personal_data_and_no_more() -> None:
    terms = shipped_policy()
    assert vocabulary.kind_of_data(terms, "email") == "https://w3id.org/dpv/pd#EmailAddress"
    assert vocabulary.kind_of_data(terms, "birthday") == "https://w3id.org/dpv/pd#BirthDate"
    invented = {**terms.categories, "birth": {**terms.categories["birth"], "dpv": "DayOfGlory"}}
    terms = replace(terms, categories=invented)
    assert vocabulary.kind_of_data(terms, "birthday") == "https://w3id.org/dpv#PersonalData"
    assert terms.category_of("nonsense") == ""
