"""The words that a sentence of a police narrative may hold and still be told (domain.md section 4.5, N3).

A closed list: what is not in it is not known to be harmless, and `told` withholds the sentence. So it holds no
word for a relative, a trade, a stranger or a role outside the case, and none that says only that something is hearsay.
Add a word when harmless sentences are withheld for the want of it, and nobody who reports can be called by it.

`KINDS` gives each word one letter, which says what `speakers` asks of it:

    p  nothing: it is a thing, a quality, an act that tells of nobody else
    v  victim or suspect          o  officers, and those who work the case       c  a child: may be, may not tell
    h  he, she                    x  him, her, his, hers: only of those known    t  they: may be, may not tell
    f  partner, husband, wife: the other party, unless the sentence makes them somebody who told police
    r  says, tells, believes      e  sees, hears                                 l  calls, rings: the origin of a call
    s  a sound, which somebody heard                                             n  what somebody gave: an account
    i  a place that can speak: school, hospital, work                            w  who
    d  does what a person does    b  is, was                                     m  I, we: an officer's own part
    u  you, my: only inside a quotation                                          a  a title, which wants a name
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mappings import commonwords


def wordset(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def _forms(verbs: str) -> Iterator[str]:
    """The regular forms of verbs; one written with `+` doubles its last letter."""
    for verb in verbs.split():
        base = verb.rstrip("+")
        yield base
        stem = base + base[-1] if verb.endswith("+") else base
        if base.endswith("e"):
            yield from (f"{base}s", f"{base}d", f"{base[:-1]}ing")
        elif base[-1] == "y" and base[-2] not in "aeiou":
            yield from (f"{base[:-1]}ies", f"{base[:-1]}ied", f"{base}ing")
        else:
            yield from (f"{base}{_es(base)}", f"{stem}ed", f"{stem}ing")


def _plurals(nouns: str) -> Iterator[str]:
    for noun in nouns.split():
        yield noun
        yield f"{noun[:-1]}ies" if noun[-1] == "y" and noun[-2] not in "aeiou" else f"{noun}{_es(noun)}"


def _es(word: str) -> str:
    return "es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s"


_SMALL = """
a about across after again against ago all almost alone along already also although always am an and any anything
approx aren't around as at away back because before behind beside between both but by can can't cannot could couldn't
despite did didn't do does doesn't doing don't done down due during each eg either else enough etc even ever every
everything except few fifth first for fourth from further had hadn't half has hasn't have haven't having he'd he's
here how however hr hrs ie if in instead into isn't it it's its itself just last least less like likely many may might
min mins more most much must myself n/a na near nearly need needed needing needs neither never next nil no nobody nor
not nothing now of off often on once only onto or other otherwise ourselves out over own pm quite rather round same
second several shall she'd she's should shouldn't since so some something sometimes somewhere soon still such than
that the then there there's thereafter therefore therein these they've third this those though through throughout till
to today together tomorrow tonight too toward towards twice under unless until up upon usually very wasn't well
weren't what when whenever where whether which while why will with within without won't would wouldn't yes yesterday
yet
"""
_NUMBERS = """
apr april aug august christmas dec december double dozen easter eid eight eighteen eighty eleven feb february fifteen
fifty five forty four fourteen fri friday half hundred jan january jul july jun june mar march may midday midnight mon
monday nine nineteen ninety noon nov november oct october one quarter ramadan saturday sep sept september seven
seventeen seventy single six sixteen sixty sun sunday ten thirteen thirty thousand three thu thur thurs thursday tue
tues tuesday twelve twenty two wed wednesday zero
"""
_QUALITIES = """
able abroad abruptly absent abusive acceptable accidentally active actual actually addicted administering afraid
afterwards again aged aggressive agitated ahead alert alive allowed angrily angry anxious apart apologetic appropriate
approximately arranged ashamed aside asleep available awake backwards bad badly bare barefoot basic best better big
bigger black bleeding blind blood-stained bloody blue blunt bodily bound brief briefly broken brown bruised calm calmly
careful carefully certain cheap civil clean clear clearer clearly close closed coercive cold common complete completely
compliant conditional confused conscious consensual consistent constant constantly content continually continuously
controlling cooperative correct correctly counter covered cracked criminal critical cruel current currently cut daily
damp dangerous dark dead deaf deep deeply deliberately dependent depressed desperate destitute different difficult
direct directly dirty disabled dishevelled disorderly distant distraught distressed dizzy domestic downstairs downwards
drunk drunken dry earlier early easy emotional empty english entire erratic estranged eventually exact exactly
excessive existing external extreme extremely faint fair fairly false familiar far fast fat fearful female-only finally
financial financially fine firmly fit fixed flat forcefully forcibly forward forwards free frequent frequently fresh
friendly frightened full fully further fuzzy general generally gentle glass good graded gradually grave great greatly
green grey grievous guilty hard hardly harmful harsh healthy heavily heavy high higher highly hoarse home homeless
honest hostile hot huge hungry hurt hysterical ill immediate immediately imminent important inappropriate increasingly
indecent indirect indirectly indoors initial initially injured inner insecure inside intact intense intent intentional
intentionally intermittent internal intimate intoxicated irrational irregular isolated jealous joint jointly keen large
late lately later latest left legal light lightly limited linear little live lone long longer loose loud loudly low
lower main mainly major malicious marked married medical mediocre medium mental mentally messy mild mildly minimal
minor minutely mobile moderate modern monthly moody mostly mutual naked narrow nasty natural negative nervous new nice
nightly noisy none normal now nowhere noxious numb numerous obscene obsessive obvious occasionally occasioning offline
ok old online open openly orange ordinary originally outdoors outer outside overdue overnight overseas painful pale
paranoid partial partially particular particularly partly past permanent permanently persistent persistently personal
personally perverting petrified physically pink plain pleasant polite poor positive positively possessive possible
possibly potential potentially pregnant present presently previous previously primary prior private privately probably
prompt proper properly purple quick quickly quiet quietly rapid rapidly rare rarely raw readily ready real really rear
recent recently red regular regularly relevant reluctant remote repeated repeatedly responsible right rough roughly
rude sad safe safely safer scared secret secure separate separately serious seriously settled severe severely sexual
sexually shallow sharp short shortly shut sick sideways significant significantly silent silently silver similar simply
slight slightly slim slow slowly slurred small sober socially soft sole solely sore sorry special specific specifically
stable standard steady sterile stiff still straight strange strong strongly subject subsequently substantial
successfully sudden suddenly suicidal suitable superficial supportive sure surprised suspected suspicious swollen tall
tearful temporarily temporary tender tense terrified thick thin threatening tight tightly tiny tired top total totally
tough traumatic true typical ugly unable unaware unclear unconscious uncooperative undamaged under unemployed unfair
unfit unfortunately unfriendly unhappy unharmed unhurt uninjured unknown unlikely unlocked unpaid unpleasant unsafe
unstable unsteady unsuccessful unsuccessfully unsupervised untidy untrue unusual unwanted unwell unwilling upper upset
upstairs upwards urgent useful useless usual vague valid various verbal verbally vicious violent violently visible
visibly vital voluntarily vulnerable warm weak wearing weekly weird wet white whole wholly wide wild willing worse
worst worthless wounded wrong yellow young younger
"""
_LANGUAGES = """
albanian amharic arabic bengali british bsl bulgarian cantonese chinese czech dari dutch english european farsi french
german greek gujarati hindi hungarian italian japanese kurdish latvian lithuanian makaton mandarin nepali pashto
persian polish portuguese punjabi romanian russian serbian shona sinhala slovak somali sorani spanish swahili sylheti
tagalog tamil thai tigrinya turkish twi ukrainian urdu vietnamese welsh yoruba
"""
_BODY = """
abdomen abrasion ache adhd alcohol allergy amphetamine ankle anxiety arm asphyxia asthma autism back beer bicep
bipolar birth bite black-eye bleeding blister body bone bottom breast breath brow bruise bruising bum bump burn
buttock calf cancer cannabis cheek cheekbone chest chin cider clump cocaine collarbone concussion consciousness crack
cut dementia depression diabetes diazepam disability disease dislocation drink drug ear elbow epilepsy eye eyebrow
eyelash eyelid face finger fingernail fingertip fist fit foot forearm forehead fracture gash gin graze grazing groin
gum haematoma haemorrhage hair hand head heart heel heroin hip illness impairment inhaler injury insulin jaw ketamine
kidney knee knuckle labour laceration lager leg lesion lip liver lump lung mark medication methadone miscarriage mouth
muscle nail neck nose nosebleed nostril numbness overdose pain palm paracetamol pelvis petechia pill pregnancy
prescription psychosis ptsd pulse puncture rash reddening redness rib rum scalp scar scarring schizophrenia scratch
seizure sertraline shin shoulder side skin skull sole sore soreness spice spine spirit spleen sprain stab stitch
stomach strain stroke substance suffocation swelling tablet tattoo tear temple tenderness thigh throat thumb thyroid
toe tongue tooth torso unconsciousness vein vodka waist welt whiskey whisky windpipe wine womb wound wrist
"""
_THINGS = """
account acid address airgun airtag ammonia ammunition animal app ashtray attic axe bag balcony banister bank-card bar
basement bat bath bathroom baton bed bedding bedroom belonging belt benefit bicycle bike bill bin bird blade blanket
bleach blind board bolt bonnet book boot bottle bowl bra bracelet brake brick buckle building bullet bumper bungalow
bus button cabinet cable calendar camera can candle cap car caravan card carpet cash cat ceiling cellar certificate
chain chair charger cheque chisel cigarette clothes clothing coat coffee collar computer console controller cooker
cord corridor cot couch crack crossbow crowbar cue cup cupboard curtain damage debt deed desk dinner document dog door
doorframe doorstep doorway drawer dress drill drive driveway duvet dwelling earring engine facebook fence fire firearm
fireplace flame flat floor food fork frame freezer fridge garage garden gate glass glasses glove gun hall hallway
hammer hamster handbag handbrake handgun handle handset hat hatchet hem highchair hinge hob hole home hood hoodie hook
horse house implement instagram internet ipad iphone item jacket jar jeans jewellery jumper kerb kettle key kitchen
kitten knife lamp landing laptop latch laundry leash letter-box letterbox licence ligature lighter livingroom loan
lock loft lorry lounge machete match mattress meal mess microwave milk mirror mobile money moped mortgage motorbike
mug nail nappy necklace number-plate object ornament oven paint pan panel paper paperwork passport password path patio
pavement payment pen pet petrol phone photograph pillow pin pipe pistol plaster plate pocket pole porch possession
post pot pram premises profile property puppy purse pushchair pyjama rabbit radiator rail remote rent rifle ring rock
roof room rope rubbish rug salary saucepan saw scarf scissors scooter screen screw screwdriver seat seatbelt settee
shed sheet shelf shirt shoe shoelace shopping shotgun shower sim sink skirt sleeve slipper smoke snapchat soap sock
sofa spanner spoon stain stair staircase steering step stick stone stool strap string sword t-shirt table tank tap
tape taser taxi tea telephone television tenancy tie tights tiktok tile tin tissue toaster toilet top towel toy
tracker tracksuit train trainer tray trouser tv tyre underwear van vase vehicle visa wage wall wallet wardrobe washing
watch water weapon website whatsapp wheel wifi window windowsill windscreen wing-mirror wire wrench yard zip
"""
_PLACES = """
café airport alley alleyway area avenue back beach border boundary bridge britain bypass cafe campsite canal car-park
carriageway cell cinema city close corner country countryside county court crescent custody direction distance
district end england estate europe farm field forest front ireland junction lake lane layby location middle motorway
park place platform playground port rear region restaurant river riverside road roadside roundabout scene scotland
seafront side stop street subway suite supermarket terrace town towpath trail uk underpass village wales way wood
"""
_MATTERS = """
abh ability abuse access accident accommodation act action activity advantage advice affair affection affray afternoon
age aggression agreement aim alarm allowance altercation amount anger animosity answer antecedent appeal appearance
appointment argument arrangement arrest arrival arson assault assessment asylum attack attempt attendance attention
attitude bail bailey balance battery begin behaviour benefit best blame blood bond breach break-up budget burglary bwv
care case cause caution chance change charge check choice choking circumstance claim code code-word codeword coercion
commitment communication compensation complaint compliance condition conduct conflict confrontation connection consent
consequence consideration control controlling conviction counter-allegation course cps crime criticism curfew custom
cycle danger dara dash date day daylight deal death debt decision decline defence degree delay demand deportation
destitution detail detention development difference difficulty disability disagreement dispute distress disturbance
divorce dna doubt dowry drinking dvpn dvpo effect effort emergency emotion end engagement enquiry entry episode
escalation escape ethnicity evening event evidence exhibit experience exploitation extension extent fact factor failure
fall fault favour fear feeling fight finance finances force form fraud freedom friction fright frustration future
gambling gbh gender grab grade grading grip ground guidance guilt habit harassment hardship harm hate help history
holiday hope hour household housework humiliation id idea immigration impact imprisonment incident income indicator
influence injunction inquiry insecurity instruction intent intention interest interview intimidation investigation
invitation isolation issue jealousy jurisdiction kick language law level liberty licence life lifestyle limit link list
log loss love manner marac marital marker marriage matter means measure mediation merit method minute mo molestation
moment month mood morning motive movement name-calling nationality nature need nfa night nmo non-molestation nrm
nuisance number obligation occasion occupation offence offending offer oic online option order outburst outcome outlook
overall overdraft ownership panic pattern penalty perception period permission phase place plan plea pnc point
possession post postcode power ppn preference preferred presence pressure prevention priority prison problem process
programme progress prohibition proof proportion prosecution protection provision punch punishment purpose quantity
question rage range rape reaction reason recall recommendation record reference referral refusal regard relationship
release religion remainder remand remark repair reply request residence resistance response responsibility rest
restraint restriction result return review right risk routine rui rule s18 s20 s39 s47 safe-word safeguarding safety
sanction scale search second section security self self-defence self-harm self-neglect sense sentence separation series
service sex shame shift shock shove shpo sign single situation size slap sleep smell solution sort spending splitting
spo spot stage stalking stance standard start state status statutory stay strangulation strength stress struggle style
substance suicide summary supervision supply support surrender surveillance suspicion tactic tag target task temper
tension term test theft thing thought threat threshold time title today tone touch trace track transfer travel
treatment trespass trial trigger trouble trust truth try turn type unit update urge use value victimisation view
violence voyeurism vps vulnerability wage walk warning warrant week weekday weekend weight will wish wording worth year
yearly
"""
_ACTS = """
abandon+ absent accept access accompany achieve act add adjust admit+ affect agree aim allow answer anticipate
apologise appear apply approach argue arm arrange arrest arrive assault assess assign assist attach attack attempt
attend avoid await bail ban+ bar+ bark barricade base batter beg+ begin behave belittle belong bend bite blackmail
blame bleed block blow boil book bother bounce bow brandish breach break breathe bruise brush bully bump burn burst
calm cancel care carry cause caution cease chain change charge chase cheat check chew choke choose chuck circulate
claw clean clear clench climb close coerce collapse collect comb comfort commence commit+ compare complete comply
consider consist contain continue control convey convict cool cooperate cope correct cost cough cover crack crash
crawl create criticise cross crouch crush cuff curl curse damage dash deal decide decline decrease defend degrade
delay delete deliver demand demean demolish denigrate deny depart depend deploy deport deprive deserve destroy detain
deteriorate develop dictate die dig digest direct disable disagree disappear discard discharge dislike dislocate
dismiss disobey disorient dispose disrupt distract disturb divorce dominate drag+ draw dress dribble drink drive drop+
drown drug+ duck dump earn ease eat echo eject elbow embarrass emigrate empty enable encourage end endure engage
enquire enter escalate escape evict exaggerate examine exclude execute exercise exist expire explode exploit expose
extend face fail faint fall fasten feed feel fetch fill find finish fire fit+ fix flee flick fling follow forbid force
forge fracture freeze function gag+ gain gamble gaslight gather gesture get give glare go gouge grab+ grade graze
grind grip+ grope grow growl guess hack hammer handcuff handle hang happen harass harm head headbutt heal help hide
hit hold hope humiliate hurl hurry hurt ignore immigrate improve include increase inflict influence injure insert
insist inspect install insult intend interfere interrogate interrupt interview intimidate intimidated intoxicate
invade invite involve isolate issue jab+ jam+ join jump keep kick kidnap+ kill kiss kneel knife knock lash last laugh
lay lean leap leave lend lick lie lift light like limit limp link live load lock log+ look lose love lower lunge
maintain make manage manhandle manipulate mark marry mean measure meet mess minimise miss mistreat mock monitor move
murder nag+ neglect nip+ nod+ obey object obsess obtain occupy occur offend offer open oppose order overdose overpower
overreact owe own pace pack panic park part pause pay peel perform permit+ persist persuade pester photograph pick
pierce pin+ pinch place plan+ play plead point poke possess post pour practise prefer prepare present press pressure
pretend prevent proceed prod+ progress promise prosecute protect prove provide provoke pull punch punish purchase
pursue push put quarrel question quit race ram+ rape rattle re-enter reach react read realise rebuild recall reconcile
recover reduce reflect refrain refuse regain regret regulate rehouse reject relapse relate relax release relocate rely
remain remand remove renew reoffend repair repeat replace reply require resent resist resolve respond rest restate
restrain restrict result resume retain retreat return review revoke rip+ risk roll rouse rub+ ruin run rush sabotage
satisfy scald scare scatter scratch screw scuffle seal search secure sedate seek seem seize select self-harm
self-medicate sell send separate serve set settle sever shake shame share shatter shave shift shine shoot shop+ shove
show shrug+ shut sign sink sit skip+ slam+ slap+ slash sleep sleepwalk slice slide slip+ slur+ smack smash smear smell
smile smoke smother smoulder snap+ snatch sneak sniff soak sober soothe spend spike spill spin spit split spoil sprain
spray spread squash squeeze stab+ stagger stalk stamp stand stare start starve stay steal steer step+ stick stifle
sting stop+ store storm straddle strain strangle strap+ strike strip+ struggle stumble subject suffer suffocate suit
supervise supply support suppress surprise surrender surround survive swallow swear sweep swell swerve swing swipe
switch take tamper target taunt tear tease tend terminate terrify terrorise test thank threaten throttle throw thrust
thump tie torch torment torture touch trace track trail transfer+ transport trap+ travel treat tremble trespass trick
trigger trip+ trust try tug+ turn twist unblock undermine undertake undress unlock unplug+ update upset urge urinate
use vacate vandalise vary vomit wait wake walk want warn wash waste wave weaken wear weep whip+ win wind wipe wish
withdraw withhold wobble wonder work worsen worship wound wrap+ wreck wrench wrestle yank yield zip+
"""
_IRREGULAR = """
calves feet halves knives lives loaves shelves teeth
ate awoke bailed beat beaten beating became become becoming began begun bent bit biting bitten bled blew blown bore
bought bound bred broke broken built burnt caught cautioned chose chosen clung coming crept cut cutting dealt did died
drank drawn drew driven driving drunk dug dying eaten expecting fallen fed fell felt fled flew flown flung forbade
forbidden fought found froze frozen getting given giving going gone got grew grown had held hid hidden hiding hit
hitting hung hurt hurting keeping kept knelt laid lain lay leaving led left lent letting lit living lost lying made
making married meant mistook owed paid pregnant put putting quit remanded ridden risen rode rose running sent
separated set setting shaken shone shook shot shrank shut shutting sitting slept slid slit slung smelt sold spat sped
spent spilt spitting split spun squeezed stank stayed stole stolen struck stuck stung swam swept swollen swore sworn
swung taken taking threw thrown thrust tore torn tried tying undergone unhurt using willing withdrawn withdrew
withheld woke woken won wore worn wound written wrote
"""
_KEEP = """
abuse body body-worn break break-in breath breathing child contact custody depressed domestic face-to-face first-floor
ground-floor hand-held health hearing joint-account knife-point knifepoint lock-up make-up marac mental mid-air
no-one's occupation off on on-off one-off order orders own parental protection-order recourse responsibility
restraining second-floor self-referral spare spare-key stalking strangling swallowing u-turn visitation voicebox
wage-slip whispering worn
"""


_SPEAKING = """
add added advise advised advises advising allege alleged alleges alleging ask asked asking asks assert asserted
asserts aware believe believed believes believing claim claimed claiming claims complain complained complaining
complains complaint complaints concern concerned concerns confirm confirmed confirming confirms describe described
describes describing disclose disclosed discloses disclosing disclosure disclosures discuss discussed explain
explained explaining explains express expressed fear feared fearing fears flag flagged indicate indicated indicates
inform informed informing informs knew know knowing known knows learn learned learns learnt maintain maintained
maintains mention mentioned mentioning mentions note noted notes notified notify raise raised raises realised recall
recalled recalls receive received receives receiving record recorded records refer referred refers reiterated remember
remembered remembers report reported reporting reports request requested requests reveal revealed reveals said say
saying says speak speaking speaks spoke spoken state stated states stating suggest suggested suggests talk talked
talking talks tell telling tells think thinking thinks thought told understand understands understood worried worries
worry worrying
"""
_SENSING = """
film filmed hear heard hearing hears listen listened listening listens notice noticed notices noticing observe
observed observes overhear overheard recording saw see seeing seen sees spot spots spotted watch watched watches
watching witness witnessed
"""
_ACTING = """
accused accuses admits admitted agreed announced answered answers brings brought came chased come comes declared
drives drove gave gives goes handed helped helps let lets lives looked looks meets met posted pulled pulls pushed ran
replied sat shared shares showed shows stood stopped stops supports takes took urged walked walks want wanted wants
warned warns went works
"""
_CALLING = """
alerted alerting call called calling calls contacted contacting contacts dial dialled dialling dials emailed emailing
messaged messaging phoned phones phoning rang ringing rings rung telephoned
"""
_SOUNDS = """
arguing bang banged banging bangs crash cried cries cry crying fighting noise noises row rows scream screamed
screaming screams shout shouted shouting shouts sob sobbed sobbing sound sounds thud voice voices yell yelled yelling
yells
"""
_GIVEN = """
account accounts allegation allegations clip clips comment comments conversation description descriptions detail
details diary discussion e-mail e-mails email emails evidence explanation footage image images letter letters mention
message messages name names note notes photo photos picture pictures post posts recording recordings screenshot
screenshots statement story text texts version video videos voicemail voicemails
"""
_SPEAKING_PLACES = """
café a&e ambulance bank centre centre's church clinic club college council court crown gym hospital hostel hotel housing
magistrates mosque nursery office playgroup prison probation pub refuge school shop society station surgery temple
university ward work workplace
"""
_PARTNERS = """
boyfriend ex ex-boyfriend ex-girlfriend ex-husband ex-partner ex-wife fiance fiancee girlfriend husband partner spouse
wife
"""
_CASE = """
adviser cps custody-sergeant dc detective detectives ds idva inspector marac officer officers patrol pc police
sergeant sgt supervisor unit units
"""
_VICTIMS_AND_SUSPECTS = """
victim vic ap ip agg aggrieved complainant survivor suspect susp offender perpetrator perp accused defendant
"""
_CHILDREN = """
babies baby boy boys child children daughter daughters eldest girl girls infant kid kids newborn son sons toddler
unborn youngest
"""
_KINDS: tuple[tuple[str, Iterable[str]], ...] = (
    (
        "p",
        [
            *_SMALL.split(),
            *f"{_NUMBERS} {_QUALITIES} {commonwords.QUALITIES} {_LANGUAGES} {_IRREGULAR} {_KEEP} {_MATTERS}".split(),
            *_plurals(f"{_BODY} {_THINGS} {commonwords.THINGS} {_PLACES} {_MATTERS}"),
            *_forms(f"{_ACTS} {commonwords.ACTS}"),
        ],
    ),
    ("b", wordset("is was are were be been being am")),
    ("r", wordset(_SPEAKING)),
    ("e", wordset(_SENSING)),
    ("l", wordset(_CALLING)),
    ("d", wordset(_ACTING)),
    ("s", wordset(_SOUNDS)),
    ("n", wordset(_GIVEN)),
    ("i", wordset(_SPEAKING_PLACES)),
    ("f", wordset(_PARTNERS)),
    ("o", wordset(_CASE)),
    ("c", wordset(_CHILDREN)),
    ("v", wordset(_VICTIMS_AND_SUSPECTS)),
    ("h", wordset("he she")),
    ("x", wordset("him her his hers himself herself")),
    ("t", wordset("they couple them their theirs themselves")),
    ("w", wordset("who whose whom")),
    ("m", wordset("i we me us our")),
    ("u", wordset("you your yours my mine i'm i'll i've i'd you're you'll you've we're we'll")),
    ("a", wordset("mr mrs ms miss")),
)
KINDS: dict[str, str] = {word: kind for kind, words in _KINDS for word in words}
