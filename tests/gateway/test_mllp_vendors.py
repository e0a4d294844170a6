"""Messages with the habits of record systems, written here about nobody, at the listener over a real socket.

Every one is answered, by its own control id wherever it has one, and what it says of her is not lost to a habit: byte
order marks, trailing zeros, odd line ends, structures left out, Z segments in the middle. `AE` is for what names
nobody, and a person has it then.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.mllp import framed
from adapters.nhs import hl7v2
from gateway.store import tables
from tests.gateway.test_mllp_messages import answers, rows, talk
from tests.support.mllp import Sender, codes, told
from tests.support.world import World

CERNER = (
    "MSH|^~\\&|CERNERPM|RXL|TIE|RXL|20260301090000||ADT^A08|Q1234567T7654321X{n}|T|2.3||||||8859/1\r"
    "EVN|A08|20260301090000|||1234567^LOGON^EXAMPLE^^^^^^^^PERSONNEL PRIMARY IDENTIFIER\r"
    "PID|1|7700101|9990000026^^^NHSNBR^NHSNMBR^^^^NSPINE~7700101^^^RXL MRN^MRN^RXL||ARDEN^ZELDA^^^MISS^^CURRENT||"
    "19880214000000|2||A|1 ACACIA MEWS^^BLACKPOOL^^ZZ99 9ZZ^GBR^HOME^^||01632 960123^HOME~07700900123^MOBILE||"
    "||||||||A\r"
    "ZPI|1||||||||G9999998^EXAMPLE^GP\r"
    "PV1|1|INPATIENT|WARD1^BAY 2^B4^RXL^^BED||||C9999998^EXAMPLE^CONSULTANT|||||||||||||||||||||||||||||||||||"
    "|||20260301\r"
    "ZVI|Y||||||SAFEGUARDING\r"
)
EPIC = (
    "MSH|^~\\&|EPIC|RXL|GATEWAY|PROVIDE|20260301090000+0000|INTERFACE|ADT^A31^ADT_A05|{n}|T|2.5.1||||NE|GBR|"
    "UNICODE UTF-8\r"
    "EVN|A31|20260301090000|||INTERFACE^EPIC^ADT^^^^^RXL\r"
    "PID|1||E7700102^^^EPI^EPI~9990000026^^^NHS^NH||ARDEN^ZELDA^ANNE^^^^L||19880214|F|||"
    "1 ACACIA MEWS^^BLACKPOOL^^ZZ99 9ZZ^GBR^P"
    "||07700900123^P^M^^^^|||S||||||||N||||||N\r"
    "PD1|||EXAMPLE SURGERY^^P99999|G9999998\r"
    "ROL|1|UC|PP|G9999998^EXAMPLE\rNK1|1|\rPV1|1|N\r"
)
MEDITECH = (
    "MSH|^~\\&|MEDITECH|RXL||PROVIDE|202603010900||ADT^A04|{n}|T|2.4|||AL|NE\r"
    "EVN|A04|202603010900\r"
    "PID|1||M000770103^^^^MR^RXL~9990000026^^^^NHS^RXL|E123|ARDEN,ZELDA||19880214|F||WHITE|"
    "1 ACACIA MEWS^^BLACKPOOL^^ZZ99 9ZZ"
    "||(01632)960-123|||S|||000-00-0000\rPV1|1|O|ED^^\rGT1|1\rIN1|1\rACC|\r"
)
LORENZO = (
    "MSH|^~\\&|LORENZO|RXL^2.16.840.1.113883.2.1.3.2.4.18.49|TIE||20260301090000.123||ADT^A28^ADT_A05|{n}|T|"
    "2.4|0|20260301090000|||GBR|UNICODE|EN||iTKv1.0\r"
    "EVN||20260301090000||||20260301090000\r"
    'PID|1||9990000026^^^NHS||ARDEN^ZELDA^^^MS^^L|""|19880214|2|||'
    '1 ACACIA MEWS^""^BLACKPOOL^""^ZZ99 9ZZ^^HOME||^PRN^PH^^^^01632960123'
    '||EN|M|C22|||||A|||||||""|N|||01\r'
    'ZU1|20260301||0||||||||1||""\rZU3|^^|||\rZU8|Y|||\r'
)
TRAKCARE = (
    "MSH|^~\\&|TRAKCARE|RXL|HS|RXL|20260301090000||ADT^A01^ADT_A01|{n}|T|2.5||||||UNICODE UTF-8\r"
    "EVN|A01|20260301090000|||demo^^Demo^User\r"
    "PID|||7700105^^^RXL^MR~9990000026^^^NHS^NH^||ARDEN^ZELDA^^^Ms||19880214000000|F|||"
    "\\T\\co 1 ACACIA MEWS^^BLACKPOOL^^ZZ99 9ZZ"
    "||07700900123^PRN^CP||EN|S|\r"
    "ZPD|1|Example \\F\\ note \\E\\ here\rPV1||I|W1^^1|||||||||||||||||7700105-1\rZZZ\r"
)
VENDORS = {"Cerner": CERNER, "Epic": EPIC, "Meditech": MEDITECH, "Lorenzo": LORENZO, "TrakCare": TRAKCARE}


def made(vendor: str, number: str) -> bytes:
    """A message of a vendor's habits under a control id."""
    return VENDORS[vendor].replace("{n}", number).encode()


def with_header(message: bytes, **fields: bytes) -> bytes:
    """A message with other values in its header: `f9` is MSH-9."""
    head, *rest = message.split(b"\r")
    parts = [*head.split(b"|"), *[b""] * 20]
    for name, value in fields.items():
        parts[int(name[1:]) - 1] = value
    return b"\r".join([b"|".join(parts), *rest])


Habit = Callable[[bytes], bytes]
TAKEN: dict[str, Habit] = {
    "as it is": lambda m: m,
    "byte order mark": lambda m: b"\xef\xbb\xbf" + m,
    "trailing zeros": lambda m: m + b"\0\0\0",
    "zero before the last end": lambda m: m[:-1] + b"\0\r",
    "LF": lambda m: m.replace(b"\r", b"\n"),
    "CRLF": lambda m: m.replace(b"\r", b"\r\n"),
    "CR CR": lambda m: m.replace(b"\r", b"\r\r"),
    "no last end": lambda m: m.rstrip(b"\r"),
    "space around it": lambda m: b"\r\n  " + m + b"  \r\n",
    "no MSH-9.3": lambda m: with_header(m, f9=b"^".join(m.split(b"|")[8].split(b"^")[:2])),
    "a structure alone in MSH-9": lambda m: with_header(m, f9=b"ADT_A08"),
    "MSH-18 repeated": lambda m: with_header(m, f18=b"ASCII~8859/1~UNICODE UTF-8"),
    "an unknown character set, and ASCII": lambda m: with_header(m, f18=b"IBM EBCDIC"),
    "UTF-16": lambda m: m.decode().encode("utf-16"),
    "country in MSH-12": lambda m: with_header(m, f12=b"2.4^GBR"),
    "mode in MSH-11": lambda m: with_header(m, f11=b"T^T"),
    "other delimiters": lambda m: m.replace(b"|", b"*").replace(b"^", b":"),
    "a fifth sign in MSH-2": lambda m: m.replace(b"^~\\&", b"^~\\&#", 1),
    "escapes that are none": lambda m: m.replace(b"ACACIA", b"AC\\Zz\\\\.br\\\\X0D\\\\XZZ\\CIA"),
    "a Z segment before EVN": lambda m: m.replace(b"\rEVN", b"\rZZZ|1|^^^|\rEVN"),
    "a line that is no segment": lambda m: m.replace(b"\rPV1", b"\rthis is a note\rPV1"),
    "control characters": lambda m: m.replace(b"ACACIA", b"AC\x01\x02CIA"),
    "a batch of one": lambda m: b"FHS|^~\\&|A|B\rBHS|^~\\&|A|B\r" + m + b"BTS|1\rFTS|1\r",
}
LEFT: dict[str, Habit] = {
    "no PID": lambda m: m.replace(b"\rPID|", b"\rZID|"),
    "an empty PID": lambda m: b"\r".join(b"PID" if s.startswith(b"PID") else s for s in m.split(b"\r")),
    "bars in PID": lambda m: b"\r".join(b"PID|||||||" if s.startswith(b"PID") else s for s in m.split(b"\r")),
    "the header alone": lambda m: m.split(b"\r")[0] + b"\r",
    "three signs in MSH-2": lambda m: m.replace(b"^~\\&", b"^~&", 1),
    "a zero inside": lambda m: m.replace(b"ARDEN", b"AR\0DEN"),
    "lower-case segments": lambda m: m.replace(b"\rPID", b"\rpid"),
}
NEVER: dict[str, Habit] = {
    "another version": lambda m: with_header(m, f12=b"2.7"),
    "no version": lambda m: with_header(m, f12=b""),
    "production": lambda m: with_header(m, f11=b"P"),
    "lower-case type": lambda m: with_header(m, f9=b"adt^a08"),
    "no event": lambda m: with_header(m, f9=b"ADT"),
}


def test_every_habit_of_every_vendor_is_answered_by_its_own_control_id(demo: World) -> None:
    wanted: list[tuple[str, str, str]] = []
    sent: list[bytes] = []
    for vendor in VENDORS:
        for code, habits in (("AA", TAKEN), ("AE", LEFT), ("AR", NEVER)):
            for habit, changed in habits.items():
                number = f"N{len(sent):05d}"
                wanted.append((f"{vendor}, {habit}", number, code))
                sent.append(changed(made(vendor, number)))
    found = answers(demo, *sent)
    said = [told(one) for one in found]
    enhanced = {"CA": "AA", "CE": "AE", "CR": "AR"}
    wrong = [
        (what, number, code, one)
        for (what, number, code), one in zip(wanted, said, strict=True)
        if enhanced.get(one[0], one[0]) != code or not one[1].endswith(number)
    ]
    assert wrong == []
    assert len(rows(demo, tables.quarantine)) == len(VENDORS) * len(LEFT), "each that nobody could use has a person"


@pytest.mark.parametrize("vendor", VENDORS)
def test_who_is_meant_is_understood(vendor: str) -> None:
    """The NHS number, birth date, sex, postcode and telephone, however the vendor writes them."""
    patient = hl7v2.patient_change(hl7v2.read(made(vendor, "N1"))).patient
    assert patient.identity.nhs_number == "9990000026"
    assert str(patient.person.birth and patient.person.birth.on) == "1988-02-14"
    assert patient.person.sex == "female"
    assert str(patient.person.names[0].family).startswith("ARDEN")
    assert [one.postcode for one in patient.person.addresses] == ["ZZ99 9ZZ"]
    assert {one.value for one in patient.person.contacts} <= {"07700900123", "01632960123"}
    assert patient.person.contacts


def test_two_messages_in_one_frame_are_both_answered_in_their_order(demo: World) -> None:
    async def work(sender: Sender) -> None:
        await sender.send(framed(made("Cerner", "A") + made("Epic", "B")))
        found = [await sender.answer(), await sender.answer()]
        assert [(code, id_[-1]) for code, id_ in map(told, found)] == [("AA", "A"), ("AA", "B")]

    talk(demo, work)


def test_a_header_that_nobody_can_read_is_answered_without_an_id(demo: World) -> None:
    lower, long = b"msh" + made("Cerner", "A")[3:], made("Epic", "X" * 300)
    assert codes(answers(demo, lower, long)) == ["AE", "AA"]
