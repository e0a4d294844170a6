"""Synthetic occurrences in the shape of `mappings/police/niche.toml`, as XML. Nobody in them is real."""

from __future__ import annotations

NAMESPACE = "urn:niche-like:occurrence:1"
STRUCTURES = "http://release.niem.gov/niem/structures/5.0/"

CODES = (
    "INJ", "FRI", "FEAR", "ISO", "DEP", "SEP", "CCON", "STK", "PREG", "HHCH", "HRTC", "THRC", "FREQ", "SEV", "CTRL",
    "WPN", "KILL", "STRG", "SEX", "OTHP", "HRTO", "ANI", "FIN", "SUB", "SUI", "BRCH", "CRIM",
)  # fmt: skip
"""The 27 items of the police DASH."""

HEADER = """
  <Header>
    <ForceCode>04</ForceCode>
    <SystemName>Niche RMS</SystemName>
    <MessageId>NX-{serial:06}</MessageId>
    <ExtractedAt>2026-04-12T21:00:00Z</ExtractedAt>
    <ExtractedBy>svc-export</ExtractedBy>
  </Header>"""

OCCURRENCE = """
  <Occurrence s:id="OCC1">
    <RecordStatus code="NEW">New</RecordStatus>
    <OccurrenceNumber>04-2026-{serial:06}</OccurrenceNumber>
    <LogNumber>LC-20260412-0345</LogNumber>
    <CrimeNumber>04/12345/26</CrimeNumber>
    <IncidentNumber>INC-{serial:06}</IncidentNumber>
    <Section code="DA">Domestic abuse</Section>
    <Version>2</Version>
    <Dates>
      <Reported>12/04/2026 19:05</Reported>
      <From>12/04/2026 18:50</From>
      <To>12/04/2026 19:02</To>
      <Attended>2026-04-12T19:21:00+01:00</Attended>
      <Recorded>12 Apr 2026 20:58</Recorded>
    </Dates>
    <Marking>
      <Classification code="OS">OFFICIAL-SENSITIVE</Classification>
      <SourceEvaluation code="1">Reliable</SourceEvaluation>
      <InformationAssessment code="A">Known directly</InformationAssessment>
      <HandlingCode code="P">Lawful sharing permitted</HandlingCode>
    </Marking>
    <TypeCode>domestic-incident</TypeCode>
    <TypeLiteral>Domestic incident</TypeLiteral>
    <Offence><HomeOfficeCode>8N</HomeOfficeCode><Title>Assault with injury</Title></Offence>
    <Flag code="DA">Domestic abuse</Flag>
    <Flag code="Alcohol">Alcohol related</Flag>
    <PhysicalAssault>Y</PhysicalAssault>
    <WeaponUsed>Y</WeaponUsed>
    <OutcomeCode>18</OutcomeCode>
    <OutcomeLiteral>No suspect identified</OutcomeLiteral>
    <Warning code="VIOLENT">Known to be violent</Warning>
    <Narrative>Ex-partner forced the front door &amp; pushed the victim against a wall.
He put both hands around her neck. A neighbour at number 14 called to report shouting.</Narrative>
    <IntelligenceReport>Said to be staying with an associate on the south shore.</IntelligenceReport>
    <Involvement role="VIC"><Person s:ref="P1"/><Present>Y</Present><Injured>Y</Injured></Involvement>
    <Involvement role="SUS"><Person s:ref="P2"/><Present>N</Present></Involvement>
    <Involvement role="CHI">
      <Person s:ref="P3"/><Present>Y</Present><Witnessed>Y</Witnessed>
      <Encompass><Notified>Y</Notified><NotifiedAt>2026-04-13T07:30:00+01:00</NotifiedAt>
        <Reference>ENC-77</Reference></Encompass>
    </Involvement>
    <Involvement role="REP"><Person s:ref="P4"/></Involvement>
    <Scene s:ref="L1"/>
    <Relationship>
      <Of s:ref="P1"/><To s:ref="P2"/>
      <Type code="ex-partner">Ex-partner</Type><PersonallyConnected>Y</PersonallyConnected>
    </Relationship>{risk}
    <Consent>
      <State code="Y">Given</State>
      <Subject s:ref="P1"/>
      <Scope code="IDVA">Independent domestic violence adviser</Scope>
      <Scope code="HEALTH">Health</Scope>
      <AskedBy>attending-officer</AskedBy>
      <AskedAt>2026-04-12T19:40:00+01:00</AskedAt>
      <Explained>Y</Explained>
      <SuspectPresent>N</SuspectPresent>
    </Consent>
    <MaracCriterion>
      <Criterion code="VHR">Visible high risk</Criterion><Met>Y</Met><Subject s:ref="P1"/>
      <AssessorRole>attending-officer</AssessorRole><Count>19</Count>
    </MaracCriterion>
    <Order>
      <Type code="DVPN">Domestic violence protection notice</Type><Subject s:ref="P2"/><Protects s:ref="P1"/>
      <Conditions>Not to go to the address.</Conditions><Expires>2026-04-14T19:00:00+01:00</Expires>
    </Order>
    <Custody>
      <Event code="RUI">Released under investigation</Event><Subject s:ref="P2"/>
      <At>2026-04-13T02:10:00+01:00</At>
    </Custody>
    <Statement topic="circumstances" kind="fact">
      <About s:ref="P1"/><Text>The boy was in the next room throughout.</Text>
    </Statement>
    <Attachment>
      <Kind code="photo">Photograph</Kind><MediaType>image/jpeg</MediaType><FileName>injury.jpg</FileName>
    </Attachment>
    <OfficerInCase><CollarNumber>4471</CollarNumber><Unit>PPU West</Unit><Name>PC Sample</Name></OfficerInCase>
  </Occurrence>"""

RISK = """
    <RiskAssessment>
      <Instrument code="DASH-27">DASH 2009</Instrument>
      <InstrumentVersion>2009</InstrumentVersion>
      <Subject s:ref="P1"/>
      <AssessorRole>attending-officer</AssessorRole>
      <CompletedAt>2026-04-12T19:55:00+01:00</CompletedAt>
      <Grade code="H">High</Grade>
      <GradeBasis>professional-judgement</GradeBasis>
      <YesCount>19</YesCount>
      <UnknownCount>0</UnknownCount>
      <ItemCount>27</ItemCount>
      <Answers>{answers}
      </Answers>
      <GradeHistory>
        <Grading><Grade code="M">Medium</Grade><GradedAt>2026-04-12T19:50:00+01:00</GradedAt>
          <AssessorRole>attending-officer</AssessorRole></Grading>
      </GradeHistory>
    </RiskAssessment>"""

PEOPLE = """
  <Person s:id="P1">
    <Name type="PRIMARY"><Title>Ms</Title><Surname>Ashdown</Surname><Forename1>Marianne</Forename1>
      <Forename2>Elise</Forename2></Name>
    <Name type="MAIDEN"><Surname>Quill</Surname></Name>
    <DateOfBirth>03/07/1991</DateOfBirth>
    <Gender code="F">Female</Gender>
    <EthnicitySelfDefinedCode>W1</EthnicitySelfDefinedCode>
    <EthnicitySelfDefinedLiteral>White British</EthnicitySelfDefinedLiteral>
    <EthnicityOfficerDefinedCode>IC1</EthnicityOfficerDefinedCode>
    <EthnicityOfficerDefinedLiteral>White North European</EthnicityOfficerDefinedLiteral>
    <Identifier type="NOM">N-10001</Identifier>
    <NhsNumber>999 000 0018</NhsNumber>
    <GeneralPractice>Example Surgery</GeneralPractice>
    <Language code="ur">Urdu</Language>
    <InterpreterRequired>Y</InterpreterRequired>
    <Need code="HEAR">Hearing loop</Need>
    <Need code="READ">Large print</Need>
    <Address type="HOME" s:ref="L1"/>
    <Address type="SAFE" s:ref="L2"/>
    <Telephone>
      <Number>07700 900118</Number><SafeToContact>Y</SafeToContact><VoicemailAllowed>N</VoicemailAllowed>
      <TextAllowed>N</TextAllowed><SafeTimes>weekdays before 14:00</SafeTimes><CodeWord>library</CodeWord>
      <VerifiedBy>attending-officer</VerifiedBy><VerifiedAt>2026-04-12T19:41:00+01:00</VerifiedAt>
    </Telephone>
    <Telephone><Number>01632 960118</Number></Telephone>
    <Email><EmailAddress>m.ashdown@example.org</EmailAddress><SafeToContact>N</SafeToContact></Email>
  </Person>
  <Person s:id="P2">
    <Name type="PRIMARY"><Surname>Brandreth</Surname><Forename1>Rufus</Forename1></Name>
    <Name type="ALIAS"><Surname>Brand</Surname><Forename1>Roo</Forename1></Name>
    <DateOfBirth>1988-11-30</DateOfBirth>
    <Gender code="M">Male</Gender>
    <Identifier type="PNC">26/1234567A</Identifier>
    <Identifier type="CRO">12345/26B</Identifier>
    <Description>Tall, short brown hair.</Description>
    <Occupation>Scaffolder</Occupation>
    <Warning code="WEAPON">Has carried a knife</Warning>
    <Address type="HOME" s:ref="L3"/>
    <Telephone><Number>07700 900119</Number></Telephone>
  </Person>
  <Person s:id="P3">
    <Name type="PRIMARY"><Surname>Ashdown</Surname><Forename1>Theo</Forename1></Name>
    <DateOfBirth>2017-02-14</DateOfBirth>
    <Gender code="M">Male</Gender>
    <School>Example Primary School</School>
    <Address type="HOME" s:ref="L1"/>
  </Person>
  <Person s:id="P4">
    <Name type="PRIMARY"><Surname>Penhallow</Surname><Forename1>Ida</Forename1></Name>
    <AgeFrom>60</AgeFrom><AgeTo>70</AgeTo>
    <Telephone><Number>01632 960120</Number></Telephone>
  </Person>"""

PLACES = """
  <Location s:id="L1"><BuildingNumber>12</BuildingNumber><Street>Example Row</Street><Town>Blackpool</Town>
    <District>Blackpool</District><Postcode>zz993cz</Postcode><Uprn>900000000012</Uprn></Location>
  <Location s:id="L2"><BuildingName>Example House</BuildingName><Street>Sample Lane</Street><Town>Fleetwood</Town>
    <Postcode>ZZ99 4ZZ</Postcode></Location>
  <Location s:id="L3"><Flat>Flat 2</Flat><BuildingNumber>9</BuildingNumber><Street>Specimen Street</Street>
    <Town>Lytham</Town><Postcode>ZZ99 5ZZ</Postcode></Location>"""


SENTENCE = "She said that it was worse than it had been before the summer."


def text(serial: int = 345) -> str:
    """A whole occurrence with an answer to each item, as XML text."""
    return _text(serial, risk(), "", "")


def large(serial: int = 345) -> bytes:
    """An occurrence of 30 KiB: three assessments with words to each answer, six witnesses, a page of narrative."""
    witnesses = [f"W{number}" for number in range(6)]
    involved = "".join(f'<Involvement role="WIT"><Person s:ref="{one}"/></Involvement>' for one in witnesses)
    victim = PEOPLE[: PEOPLE.index('<Person s:id="P2">')]
    people = "".join(victim.replace('"P1"', f'"{one}"') for one in witnesses)
    told = f'<Statement topic="circumstances" kind="account"><Text>{" ".join([SENTENCE] * 40)}</Text></Statement>'
    return _text(serial, risk(SENTENCE) * 3, involved + told, people).encode()


def risk(said: str = "") -> str:
    """An assessment, with the same words to each answer."""
    answers = "".join(
        f'\n        <Answer item="{code}" reply="{"Y" if at < 19 else "N"}" source="victim">{said}</Answer>'
        for at, code in enumerate(CODES)
    )
    return RISK.format(answers=answers)


def _text(serial: int, risks: str, involved: str, people: str) -> str:
    occurrence = OCCURRENCE.format(serial=serial, risk=risks + involved)
    return whole(HEADER.format(serial=serial) + occurrence + PEOPLE + people + PLACES)


def whole(inside: str) -> str:
    """A document around parts of an export."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<OccurrenceExport xmlns="{NAMESPACE}" xmlns:s="{STRUCTURES}" schemaVersion="1.0">{inside}\n'
        "</OccurrenceExport>\n"
    )


def small(inside: str = "", involved: str = "", *, status: str = '<RecordStatus code="NEW"/>') -> bytes:
    """The least that is an occurrence; `involved` goes into it, `inside` beside it."""
    number = "<OccurrenceNumber>04-1</OccurrenceNumber>"
    return whole(f"<Occurrence>{status}{number}{involved}</Occurrence>{inside}").encode()
