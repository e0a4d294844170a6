r"""Lots of police narrative, each written before the rule for third parties had met it.

Written for this suite; nobody in them exists. Of each lot the first half is told by a third party or leads to one, and
must never be told to the NHS (N3); the second says what happened, and withholding it costs the adviser something. A
line may hold several lines of a form, written `\n`.

What the rule, as it then was, did on each when it first met it (sources let through, harmless withheld):

    CONTROL_ROOM 1 of 30,  5 of 30        UNSEEN  0 of 30,  6 of 30, never mended against
    FREE_TEXT    1 of 30,  4 of 30        ATTACK 31 of 60, written to break it with known words only
    MINUTES      1 of 30,  4 of 30        MIXED   0 of 30, 16 of 30
    TEMPLATE     1 of 30,  7 of 30        LAST    0 of 40,  5 of 40, never mended against

The lists of words that it replaced let through 10, 11, 4 and 5 of the first four. The hand that wrote the lots wrote
the rule, so a stranger's prose will do worse than UNSEEN and LAST.
"""

from __future__ import annotations

from typing import NamedTuple


class Lot(NamedTuple):
    """Sentences of third parties, and sentences of none."""

    told: tuple[str, ...]
    plain: tuple[str, ...]


def _lot(told: str, plain: str = "") -> Lot:
    return Lot(_lines(told), _lines(plain))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.replace("\\n", "\n") for line in text.strip().splitlines())


CONTROL_ROOM = _lot(
    r"""
INFT STATES MALE IS KICKING OFF AGAIN
CALLER IS AT HOME ADDRESS TWO DOORS UP
LINE CLEARED BEFORE NAME OBTAINED, WITHHELD NUMBER
FEMALE ON LINE, NOT THE IP, WHISPERING
N/BOUR RPTS CRASHING FROM THE FRONT BEDROOM
Inft. is the nan, scared of repercussions.
CALL BACK TO MOBILE ENDING 112 - CHILD ANSWERED AND SAID DADDY IS HITTING MUMMY
SCREAMING IN BACKGROUND, OPEN LINE
abandoned 999, redialled, answered by a kid
From 101 webchat: can hear them at it through the wall
Ambo on scene requesting police, crew say boyfriend is aggressive
Nieghbour: shouting and glass breaking
heard shouting approx 10 mins, now gone quiet
REPORT OF MALE DRAGGING FEMALE BY HAIR
Call transfered from Merseyside, orig. from works colleague
INF REFUSED DETAILS, FOREIGN ACCENT
PASSING MOTORIST - ROW IN LAYBY
Bus driver 14A has pulled over
CRIMESTOPPERS REF HELD
Info rec'd from school DSL at 0905
OTHER RESIDENTS NOW COMING OUT TO LOOK
she can see him from her kitchen window dragging the female back in
Wants to remain anon as fears he will know it was her.
MIL of victim on the phone
Dai Pritchard from the end house rang it in
P. Wojciechowska at 22 says it is every night
taxi base passing details, their cabbie is stood outside
SILENT SOLUTION 55 PRESSED
Victim's mam has had a text off her saying help
Update from inf - male has left in a grey car
""",
    r"""
PATROL ON SCENE 2031
SUSP DETAINED IN REAR GARDEN
IP SAFE AND WELL WITH OFFICERS
SUSP MADE OFF ON FOOT TOWARDS THE CANAL
VICTIM HAS A NOSE BLEED
AGG STATES SUSP HAS PUNCHED HER TWICE
MARKERS ON SUSP FOR WEAPONS AND VIOLENCE
1 IN CUSTODY FOR S39 ASSAULT
DASH COMPLETED, MEDIUM
IP HAS LOCKED HERSELF IN THE BATHROOM
SUSP STILL OUTSIDE BANGING ON THE DOOR
NO COMPLAINTS FROM IP
Victim conveyed to A&E with a suspected fractured wrist
Susp is the ex-partner of IP, split up in May
children asleep, not woken
Property searched, no trace of suspect
DVPN under consideration
Log to remain open until arrest
IP declines ambulance
suspect circulated as wanted
BWV on
IP is whispering that he is in the next room
Scene photographed
Kitchen window smashed from the outside
Two kids in the address, both fine
NMO in force, expires 14/06
he has taken her car keys and bank card
AP does not want him arrested
Officers to remain until locks are changed
Suspect intoxicated and unsteady on his feet
""",
)
"""A control-room log."""

FREE_TEXT = _lot(
    r"""
On arrival I was met by the occupant of the ground floor flat, who pointed us up.
It was reported that raised voices had been coming from the address.
It is understood that he has been back living there since Easter.
I have been made aware that the suspect attends most weekends.
House to house has been completed and supports the victim.
An independent account was obtained which corroborates the assault.
I spoke with a Mrs Nowak, an elderly lady, who was shaken by what she had seen.
Her eldest, aged 9, told me dad had put his hands round mum's neck.
During the conversation Callum disclosed that he is frightened when the shouting starts.
The original informant does not wish to be named for fear of reprisals.
A doorbell camera across the road has captured the suspect arriving.
The injured party's father had driven over after getting a worrying message.
He is said to keep a machete beneath the bed.
Word on the estate is that he sells cannabis from the garage.
Rumour has it he is seeing someone else.
According to what has been said locally, this is not the first time.
Having taken first details from the shopkeeper I went upstairs.
Staff at the Red Lion were concerned enough to ring.
The lad downstairs, who I know as Tomasz, was the one that let us in.
Gwenllian, who minds the baby on Tuesdays, has noticed marks before.
The suspect's own sister has had enough and wanted it logged.
One account has the suspect pushing her down the steps.
Another resident has since come forward.
Police were informed that he had a firearm.
We had been told to expect a knife.
She, the sister, then went inside to fetch the children.
"He's going to kill her one day," I was told on the doorstep.
What follows was given in confidence.
The person calling it in had walked past with a pram.
Next of kin attended the station and was adamant that he is controlling her.
""",
    r"""
On arrival I could see that the victim had a swollen left eye.
I saw redness around her neck consistent with being grabbed.
The victim explained that they had been arguing about money since the morning.
She stated that he became angry when she refused to hand over her wages.
She described the suspect standing over her and shouting in her face.
He then threw a mug which hit the wall beside her head.
The victim became upset while giving her account.
The suspect was sat on the sofa and smelled strongly of alcohol.
He replied to caution, "I never touched her."
I arrested him on suspicion of controlling and coercive behaviour.
The handcuffs were applied to the front.
I explained the cycle of abuse and offered a referral to support services.
She has agreed to be contacted by the domestic abuse team.
Her preferred number is her work mobile.
The relationship began in 2017 and they have two children.
He has isolated her from everyone she knew.
She is not allowed to leave the house without his permission.
He monitors her through an app on her phone.
I have completed the risk assessment and graded it as high because of the strangulation.
The victim was unable to swallow properly and her voice was hoarse.
The bedroom door had been forced and the frame was split.
The children appeared clean, well fed and settled.
I checked on the baby who was asleep and unharmed.
The victim has given consent for her medical records to be obtained.
Suspect has bail conditions not to enter Ashfield Road.
He was found to have a lock knife in his jacket pocket.
She says that the abuse became worse when she fell pregnant.
The victim was reluctant to engage and minimised what had happened.
Safeguarding advice was given and a marker placed on the address.
Suspect claims that she attacked him first with a saucepan.
""",
)
"""An officer's free text."""

MINUTES = _lot(
    r"""
Housing: tenant in the adjoining property has made eleven noise complaints.
School reported that A has arrived without lunch and says daddy locks the cupboard.
Education - sibling confided in a teaching assistant.
Health visitor shared mum's sister is worried sick.
Adult social care hold a concern raised by the victim's carer.
Cllr. Hughes has passed on a constituent's worries.
Children's Social Care: maternal grandmother raised this in June.
Probation: his new partner has rung in twice about his drinking.
IDVA feedback is that a friend has seen the messages.
Fire service noted a bolt on the outside of the door; occupier opposite prompted the visit.
Agency checks: anonymous letter rec'd by the council, handwriting female.
Substance misuse: disclosed in group by another service user.
Mental health: CPN overheard a phone call during the home visit.
Voice of the child: "Daddy hurts Mummy when he's cross."
B (7) drew a picture for her teacher.
C has told his Nain that he sleeps with the light on.
Third sector partner has had sight of photographs sent by a pal.
Info shared outside the meeting by someone close to the family.
It came up at the toddler group.
Paternal uncle is believed to be behind the referral.
Employer (care home) has concerns re bruising, asked not to be quoted.
GP surgery: receptionist witnessed him shouting at her in the car park.
Landlord's agent will provide a statement if needed.
Refuge were told by a former resident where he drinks.
Babcia looks after the children and has seen the marks.
Mrs Kowalczyk-Jones has kept a diary of dates.
Faith leader approached DA coordinator after the service.
Pharmacy flag - customer overheard a threat at the counter.
Reported to police by way of hospital security.
Source of this is sensitive, do not share with either party.
""",
    r"""
Case heard for the first time.
Victim is aware of the referral and gave consent.
Risk: high, visible indicators 16.
Perpetrator was released on 4 May with a tag.
Victim would like to move out of area.
Police to consider a stalking protection order.
Panic alarm fitted on Friday.
Perpetrator has breached his bail twice this month.
Victim is 28 weeks pregnant and due in August.
Perpetrator has a history of strangulation against this victim.
Action: IDVA to arrange safety planning by Wednesday.
Victim has declined refuge for now.
The victim's immigration status depends on the perpetrator.
Victim has limited English and needs a Farsi interpreter.
He has threatened suicide whenever she tries to end things.
No children are in the household.
Perpetrator has convictions for assault and criminal damage.
Restraining order runs until 2027.
Police hold a marker on the address.
Contact is currently supervised.
Perpetrator uses the children to find out where she is.
Victim continues to live in fear.
Perpetrator has been spending her benefits.
Repeat case: last heard nine months ago.
Victim's preferred contact is by text, weekday mornings.
The couple share a joint account.
Perpetrator has access to her emails.
There are no firearms licences.
Actions from last time have been completed.
Perpetrator is aged 41 and unemployed.
""",
)
"""Minutes of a conference."""

TEMPLATE = _lot(
    r"""
Reported by: see linked log
Informant:\n- lives at no. 9\n- elderly, frail
How reported: phone call from public
Witnesses: 2 x adults, not willing to provide statement
Third party details: held separately
Source of information: family
Relationship of reporter to victim: aunt
Reporter: Nowicka, Agata
WIT 1 - M/40s, walking dog
MG11 obtained from S. Griffiths
CCTV: corner shop, owner will download
H2H: yes, no. 12 has doorbell footage
Hearsay: cousin says he has a gun
NOK informed and concerned re suspect
MOP called it in
Origin: Third Party
Origin of call = hospital ward sister
Incident origin: other agency
Other persons at scene: lodger (spoken to)
VPS: n/a. Witness needs: yes, intimidated by susp, lives near
Additional info - as per the letting agent rent is behind
Notes: spoke to bloke at no 3, he'd seen it kick off
DSL at St Illtyd's made contact at 15:10
Child's words: he pulled mummy's hair
Referrer = A&E triage
RP is known to suspect and must not be identified
Call taken from: MAIN DESK, WALK IN, not AP
VICS SIS SAYS HE CHOKED HER LAST WEEK
Susps mum wants him out the house
Intel (E41): drugs at premises per former tenant
""",
    r"""
Offence: common assault
MO: suspect has pushed victim against a wardrobe causing bruising
Injuries: bruise to upper right arm, 4cm
Victim first language: Urdu
Weapon used: belt
Location type: dwelling
Alcohol involved: yes
DASH grade: High
Suspect status: RUI
Children present: yes, 2
Victim vulnerable: yes
Property damaged: TV screen, value £300
Bail: yes, until 21/09, not to contact victim directly or indirectly
Victim disability: none disclosed
Q1: Has the current incident resulted in injury? Yes
Frightened: yes - worried that he will kill her
Isolation: he does not let her see her family
Depressed or suicidal: yes, has thought about it since April
Separated: yes, 3 weeks
Conflict over child contact: no
Stalking: he waits outside her place of work
Pregnant: no
Previous strangulation: yes - in January, lost consciousness
Threats to kill: yes, by text
Financial: he controls the account and gives her £20 a week
Summary: suspect has come home drunk and assaulted victim in the hallway
Outcome: arrested, interviewed, bailed
BWV exhibit reference PW/1
Counter allegation: suspect says victim scratched his face
Vehicle: blue Corsa used by suspect
""",
)
"""A record system's template."""

UNSEEN = _lot(
    r"""
Chinese takeaway owner put the shutters down and dialled for us
TREVOR NEXT DOOR BUT ONE HAS RANG AGAIN
She rang because she could not stand to listen to it any more.
Apparently he has been at it for months
Allegedly has previous for this in Wales.
A voice was heard to say stop it.
Seen by passers by being slapped.
Enquiries in the block reveal it happens every giro day
Midwifery asked for this to be recorded, will not be named in court
Informants details sanitised.
The mother-in-law is the only one who will talk
My brother saw it all
son (12) made the call from under the bed
Mrs O'Rourke, bless her, has kept an eye out for weeks.
Confirmed by an unconnected party.
*** DO NOT DISCLOSE: tel 07700 900123 is a cousin ***
Her supervisor, Piotr, drove over when she missed her shift
Ei mam wedi ffonio yr heddlu
Sasiadka slyszala krzyki
3rd pty rpt
Ofc advised by ward staff that visitor was abusive
There is a suggestion that he has bought petrol
The walls are thin and everyone knows
We have it on good authority that he will not surrender.
Postman
- Neighbour
He denies it, though two people contradict him.
Victim was found by a jogger on the towpath
Tip: he hides in the loft when police come
The housing officer's note of 3 May refers to a hole in the plaster
""",
    r"""
Victim was crying when officers arrived
She has a bite mark to her shoulder
He put a pillow over her face
Suspect grabbed victim round the waist and threw her onto the bed
IP's hair had been pulled out in clumps
He hid her passport and her medication
Officers forced entry at 0312
The hallway carpet was stained with blood
He was wearing a black tracksuit
The victim is staying in a hotel until Thursday
She asked that all letters be sent to her solicitor's office
Victim feels that things are escalating
He calls her fat and useless every day
She takes sertraline for anxiety
He has smashed four of her phones this year
He sleeps outside the bedroom door so that she cannot leave
Suspect arrested nearby and taken to Blackpool custody
Victim disclosed rape, sexual offences officer informed
She wants the injunction to be extended
He tried to run her over in the car park
His bail was cancelled by the court
Suspect's licence was recalled
The youngest is under two
Suspect has a tattoo of a snake on his forearm
He poured bleach over her clothes
She attended the station at 10 a.m. to make the complaint
The assault took place in the living room
He threatened to share the video
Victim is in emergency accommodation
She will not be home before six
""",
)
"""All four styles."""

ATTACK = _lot(
    r"""
She lives across the road and saw it from her window.
Upstairs can hear it every night.
The front flat came down to help.
Flat 3 came out and stopped him.
Officers were stopped in the street and told that he had a knife.
Police got a call.
Police had a message that he was back.
Police were sent a picture of the bruise.
It is said that he has a gun.
It seems that he has a gun in the shed.
There is talk that he sells drugs.
A child at the school saw the bruise.
The eldest came to us.
The eldest showed officers where he hid.
Son is scared and wants police to come.
Officers went to the flat across the way and took a statement.
Officers have it on good authority that he is back.
Officers were given a description of the van.
Officers were shown the damage from the house at the end.
I do not want him to know it was me.
I saw the victim run out of the house with no shoes on.
I watch the kids for her.
I walk past with the dog every day and it is always going on.
AP ex partner rang in.
Suspect's ex is scared of him too.
Her ex came round to give police a picture.
One came out to look.
SUSP SEEN LEAVING
SUSP REPORTED TO BE DRUNK
AP HEARD SCREAMING
Suspect reported by flat 3.
Suspect drunk (flat 3)
Flat 3: suspect kicking door
Health have asked for a check on her.
Referral from health after the appointment.
An allegation was made that he hit her.
SUSP BELIEVED ARMED
Wants to keep out of it.
The hotel had to stop him at the door.
Her work let her stay late.
Her school has sent police a note about the bruise.
The whole street came out when he started.
Police learned of it at the school gate.
The court was told that he is back there.
Officers were let in from the flat downstairs.
From the front window he was seen to drag her.
Seen to hit her in the street.
Heard to shout that he would kill her.
Thought to be living in the van.
AP told he has a gun.
Victim's work has been worried for weeks.
Victim's daughter said that he was there.
Suspect's son is the one who called.
They can hear him shouting at her.
They called because she was screaming.
Shouting at the address, and a child crying.
Row at the house across the road.
Number 9 wants it stopped.
Door to door supports her.
Kids from the school stopped him.
""",
)
"""An attack in words that the rule holds harmless."""

MIXED = _lot(
    r"""
The flat below rang.
Police were stopped on the way in and handed a phone with it all on.
A light went on across the way and he ran.
She heard it through the ceiling and could not take any more.
Someone at her bus stop has seen the bruises.
He let officers in and said he only rents the box room.
The man who owns the garage.
Her son's football coach is uneasy.
The victim's phone was answered by Kasia.
Bethan (friend) present throughout.
Neighb heard a scuffle
OCCUPANT NO 6 UNWILLING TO GIVE MG11
Update 22:14 same caller again.
Gran has had the kids since.
The lodger's door was open.
I am her boss.
Please keep me out of it.
I am only ringing because of the children.
Not the first time we have heard this from that house.
He hit her again last night, I could hear it from my bed.
Staff nurse at the walk-in took photographs.
Third call this week to this address.
Numerous calls to this address.
This is from the health visitor, not for onward sharing.
Suspect's workmates say he boasts of it.
The brother in law collected her.
Victim's mate Shaz
Interp: Mrs Hussain, who is known to the family
Concern for welfare: hasn't been seen since Tues
Lady in distress banging on doors asking for help
""",
    r"""
Victim has scratches on both forearms and a chipped tooth.
He tipped the dinner table over and plates were smashed.
The suspect has been cautioned before for harassment.
She has changed her number because of his calls.
Suspect pushed her backwards and she landed on the coffee table.
He has keys and lets himself in whenever he likes.
She was dragged along the pavement by her coat.
The victim had been drinking but was coherent.
Suspect was verbally aggressive towards officers on arrest.
He told her that if she left he would find her and kill her.
She has nowhere else to go.
The front door lock was broken and has been boarded up.
Victim requests a female officer.
They are going through a divorce.
He withholds money for food and nappies.
She is currently signed off work with stress.
Suspect was located at 23:50 in the rear yard and arrested for ABH.
The suspect is to be released at 14:00 with conditions.
He was wearing a balaclava and carrying a metal bar.
The assault happened in front of their two sons.
The victim lost hearing in her left ear for an hour.
Victim said the abuse has been getting worse since lockdown.
He burnt her hand with an iron.
She is a Lithuanian national and speaks little English.
He has told her that she will be deported if she calls police.
No arrest made as suspect was not present.
Victim was given a crime number and safety advice.
He keeps a baseball bat behind the bedroom door.
Victim is diabetic and he has hidden her insulin.
She does not feel able to attend court without screens.
""",
)
"""All styles, half of it an attack."""

LAST = _lot(
    r"""
Seamstress at the dry cleaner has seen ripped blouses three times
Aggs hairdressers appt was where this was disclosed
MET BY MALE AT NO 17 WHO WISHES NO FURTHER INVOLVEMENT
Call passed by British Transport Police, originated on the 1742 to Preston
Mrs. A. Fazakerley rang at 0912
victims da came to the counter
His nephew will not go on the record
Two workmen on scaffolding saw the whole thing
A concerned citizen
She (neighbour) has CCTV
Ambulance crew 412 told us that he would not leave the room
Someone's put it on the community Facebook page
Received via Single Online Home, ref to follow
I heard her begging him to stop.
Please do not tell him that I phoned.
It was me that rang last week as well.
My flat shares a wall with theirs.
We could hear the little one sobbing.
Teaching staff: child said "mummy fell but daddy did it"
Mali (8) says Tad shouts
Pani Zofia z parteru dzwonila
Rhoddwyd yr wybodaeth gan gymydog
ICV - suspect on the line shouting at sister
SOC services EDT have rung through
Reporter declined to leave name
per victims g/mother
Anon. letter to MP office
a lad on a bike
Undisclosed informant, graded B
Friend of IP on line, IP can be heard crying
The information in this report was volunteered.
According to a text seen by her colleague, he was waiting outside
Word has reached us that he bought a knife
Suspect is reported to have been outside since noon
Suspect has been seen outside again this morning
Victim was overheard pleading with him
He was followed by a dog walker who pointed him out
She had run to the nearest house and they let her in
Next door's camera shows him at 0215
Known from previous attendances that the upstairs tenant is supportive
""",
    r"""
Suspect slammed the victim's head against the fridge.
Victim has a bald patch where hair was pulled out.
He threw hot coffee at her, which missed.
She is scared that he will find out where she is staying.
The suspect was taken to Preston custody.
AP reports three earlier assaults which she never told police about.
He controls the heating and takes the router with him when he goes out.
Victim declined a non-fatal strangulation medical.
He deleted all the contacts from her phone.
Suspect was further arrested for criminal damage.
The couple met online in 2020.
The suspect punched a hole in the plasterboard.
She wears long sleeves to cover the marks.
He makes her sit in the car for hours.
Suspect turned up at 6 in the morning and threw stones at the window.
Victim stated that he has never hit her before.
He got into her Facebook account and posted as her.
Victim does not drive and has no money of her own.
He followed her on to the bus.
Suspect breached his restraining order by sending flowers.
She took the children and left through the back door.
The victim is 17 and still at college.
There is a history of drug use between them.
He has missed his bail appointment.
Officers gave words of advice about locks and lighting.
Victim was wearing pyjamas and had no shoes on.
Suspect will be interviewed tomorrow.
He threatened to kill the dog.
She had a panic attack and was breathless.
He squeezed her wrist until she dropped the phone.
The suspect lives at a hostel and has no phone.
Victim has been moved to a safe place.
He tracked her using an AirTag in her bag.
IP wants him removed from the tenancy.
The victim has memory loss since the assault.
Suspect said she is lying to get custody.
He rationed her food and locked the freezer.
She jumped from the first floor window to get away.
A marker has been put on the address for urgent response.
The injunction was served on him on 12 May.
""",
)
"""All styles, last of all."""

LOTS = (CONTROL_ROOM, FREE_TEXT, MINUTES, TEMPLATE, UNSEEN, ATTACK, MIXED, LAST)

NARRATIVES = (
    """[[Call received at 23:14 from a female who lives opposite.]]
[[She could hear glass breaking.]]
Officers attended at 23:29.
The victim answered the door and had blood on her lip.
She stated that her partner had punched her during an argument over his phone.
He left before police arrived.
[[The informant saw him get into a blue van.]]
The victim has a cut to the inside of her lip and a bruise on her chin.
DASH completed and graded medium.
She agreed to a referral.""",
    """[[INFT RPTS FIGHTING AT ADDRESS]]
[[MALE AND FEMALE]]
[[SOUNDS LIKE FURNITURE BEING THROWN]]
UNIT ON SCENE
AP HAS SWELLING TO LEFT CHEEK
AP STATES SUSP THREW CHAIR AT HER
SUSP ARRESTED
2 CHILDREN UPSTAIRS ASLEEP
[[INFT TO BE CALLED BACK, DOES NOT WANT POLICE AT THE DOOR]]
AP TO STAY AT ADDRESS""",
    """Victim attended the front desk in a distressed state.
She disclosed that her husband has been controlling her for eight years.
He decides what she wears and who she speaks to.
He has strangled her twice this year, most recently on Sunday.
She lost consciousness.
[[Her sister has been trying to get her to leave and drove her here today.]]
[[The sister heard him threaten her over the phone.]]
Victim is very frightened and believes that he will kill her.
He has access to a crossbow.
[[It is understood he also keeps a handgun at his mother's.]]
The risk is high.
Victim does not want him to know that she has come to police.""",
    """Suspect has attended the victim's address in breach of his order.
He kicked the rear door and shouted through the letterbox.
[[Several residents came out.]]
[[One of them told him to leave.]]
Victim hid in the bathroom with her daughter.
[[Her daughter said, \"Is Daddy going to get in?\"]]
Suspect was arrested at 18:50 in Mill Lane.
He was charged and remanded to court.
The lock has been repaired.
Victim would like to be contacted in the morning.""",
    """- AP and suspect separated since March
- suspect has been sending up to 100 messages a day
- [[friend has screenshots]]
- suspect turned up at AP's work on Monday
- [[colleague walked her to her car]]
- AP scared to go home
- no injuries
- [[school made aware and raised concerns of their own]]""",
)
"""Whole narratives; what stands in double brackets must not be told."""
