"""Ordinary English that names no person and no account: verbs, things, qualities (a part of `plainwords`).

A word is here if it can stand in a harmless sentence of a narrative and nobody who told anything can be called by it.
"""

from __future__ import annotations

ACTS = """
absorb accelerate accommodate accumulate accustom adapt aggravate alter alternate amuse annoy antagonise appeal
appease apprehend arouse ascend assemble assure attract authorise awaken back baffle bandage barge bark bathe batter
beckon belch belittle belt bemuse benefit bicker bin+ bind blanch blanket blast blaze bleach blink blister bloat board
boast bolt bombard border borrow bow box brace brag+ brake breastfeed brew bruise brush buckle budge budget build
bulge bundle burgle bury buy buzz cage cajole camp capture cart carve cast catch celebrate challenge chase chip+ chop+
clamber clamp clash clasp clatter clench clip+ clobber clog+ clothe cloud club+ clutch coat coax coil collide combine
comfort compel+ complicate compose compress conceal concentrate condemn condense confine confiscate confront confuse
congeal congest connect conquer consent consume contort contract contribute converge convince cope copy corner cover
cramp crave crease creep cremate cripple crop+ crumble crumple crush curb cure curse cycle dab+ dam+ damp dance dangle
dare darken dart daze deactivate deceive decorate deepen deflate deflect deflower degrade dehydrate delete deliberate
demean demonstrate denote dent deplete deposit depress derail descend desire detach detect deter+ dice dictate differ
dilute diminish dine dip+ disarm discharge discipline discolour disconnect discontinue discourage discover disgust
dishearten disinfect dislodge dismantle disobey disperse displace display disqualify disregard disrespect dissolve
dissuade distance distort distribute dive divert divide dodge donate double doubt download doze draft drain drape
dread dream drench drift drill drip+ drool droop drug+ dry duck dull dwell dye ease edge eliminate embrace emit+
emphasise employ enclose engulf enhance enjoy enlarge enrage enrol+ ensure entangle entice entitle envy erase erect
erupt establish evacuate evade evaluate evaporate evolve exceed exchange excite excuse exert exhaust exhibit exit
expand expect expel+ explore extinguish extort extract fabricate fade fake falter fancy fast fatigue favour ferry
fetch fiddle fidget file filter fix fixate fizz flail flake flap+ flash flatten flaunt flicker flinch flip+ float
flog+ flood flop+ flow flush flutter foam focus fold fool forfeit forgive fortify foul free frequent fret+ frighten
frisk frogmarch frown frustrate fuel fulfil+ fume fund furnish fuss gabble gallop gape garden gargle garnish gash gasp
gatekeep gaze gift giggle glance glass gloat glow glue gnaw goad gobble google gouge grapple grasp grate grieve grill
grimace grin+ groan grow growl grumble grunt gulp gut+ halt halve hamper hang harden haul haunt headlock heap heat
heave hesitate hijack hinder hire hitch hoard hobble hoist hook hoover hop+ hospitalise hound hover howl huddle hug+
hum+ hunt hurdle husk idle ignite imitate immerse impair impede implement impose impress imprison incapacitate incite
incline inconvenience indulge infantilise infect inflame inflate inhale inherit inhibit initiate inject
institutionalise insulate insure integrate intensify intercept interlock intrude inundate invent invest iron irritate
itch jeer jerk jingle jog+ jolt jostle juggle justify kindle knit+ knot+ label+ lace lament land lapse latch launch
leak lean leap lecture lengthen lessen lick limp line lisp litter loan loathe locate loiter long loom loop loosen loot
lounge lug+ lull lunge lurch lure lurk magnify march mash massage master matter mature maul meddle melt menace mend
merge micromanage migrate mind mingle miscarry mislead misplace mistake misuse moan moisten molest mop+ motion
motivate motor mould mount mourn muddle muffle mug+ multiply mumble murmur mutilate mutter muzzle nail narrow near
neck needle negotiate nestle nibble nick nourish nudge numb number obligate obscure obstruct oppress orbit organise
ostracise outnumber outrage outweigh overcome overflow overload overlook overpower overreact overrule overstay
overturn overwhelm pace pad+ paint pant parade paralyse pat+ patch patronise paw pawn peck pedal+ pelt pend penetrate
perish persecute perspire pester pet+ picket pile pillage pitch plague plant plaster plate plot+ plough pluck plug+
plunge pocket poison polish ponder pop+ portray pose position pound pout practise pray preach preoccupy prescribe
preserve prevail prey price prick print privatise probe profit prohibit project prolong promote prompt propel+ propose
prosper provoke prowl prune pry puff pummel+ pump purge purr purse puzzle quake qualify quarrel quench quiver race
rack rage raid rain rally ram+ ramble ransack ration rattle ravage reassure rebel+ rebound rebuff recede recite
reclaim recline recognise reconnect reconsider recoup rectify recur+ redden redirect redo reek reel reform refrigerate
refund refurbish register rehearse reign reimburse reinforce reinstate reject rejoin relapse relish remarry remedy
remodel+ render renounce rent reopen repay repel+ repent repossess repress reprimand reproach reschedule research
reserve reset reside resign resort respect restart retaliate retch retire retrace retract retraumatise retrieve
reunite reverse revert revive revolt reward rid ride rinse riot ripple roam roar rob+ rock rot+ rotate rub+ ruffle
rumble rummage rupture rust sacrifice sadden sag+ salvage sample sanction sap+ saturate savage save scan+ scapegoat
scar+ schedule scold scoop scorch score scowl scrabble scramble scrape scrawl screen scrub+ scrutinise scurry seclude
secrete section sedate seethe segregate sentence sever sexualise shadow shame shape sharpen shed shelter shield shiver
shorten shoulder shovel+ shower shred+ shrink shrivel+ shudder shuffle shun+ sicken sigh sign simplify singe sip+
situate size skid+ skim+ skirt slacken slander slap+ slate slaughter slave sleepwalk slight slim+ sling slit slither
slobber slouch slow slump smirk snarl sneer sneeze sniffle snigger snooze snore snort snub+ snuggle soar soil solidify
solve sour space spank spare spark sparkle speed spike spiral+ splash splinter splutter sponge sprawl sprint sprout
spurt squabble squander squash squat+ squeak squeal squint squirm squirt stabilise stack stain stall stammer staple
startle stash stem+ sterilise stink stir+ stitch stonewall stoop strand stray streak stream stress stretch strew
stroke stroll stuff stun+ stutter subdue submerge submit+ subside substitute succeed suck sue suffer suffocate
sulk sum+ sunder surge surpass surround suspend sustain swamp swap+ sway sweat swindle swipe swirl swivel+ symbolise
sympathise taint tangle tap+ tape target taste tatter tax tease teethe tempt tense thaw thicken thrash thrill throb+
throttle thwart tick tickle tidy tighten tilt time tinker tint tire toil tolerate top+ topple torch toss total+ totter
tout tow tower trample transform transmit+ trash traumatise treasure tremble trickle trim+ triple trivialise trouble
trudge tuck tumble twinge twirl twitch type unbolt unbutton uncover undo unfasten unfold uninstall unite unload unlock
unpack unravel+ unsettle untie unwind unwrap uphold upload uproot use utter vanish veer vent venture vex victimise vie
vilify violate visualise vote waddle wade waive wander wane warm warp weaponise weed weigh weld wheel wheeze whimper
whine whirl whisk whistle wield wince winch wind wink wither withhold woo wrap+ wrestle wriggle wring wrinkle yawn
yearn yelp zoom
"""
THINGS = """
accent accessory ache acne acre adapter adoption aftermath afternoon agenda air aircraft airway aisle alibi allowance
amendment anger anniversary antibiotic antidepressant anus apartment apology appetite apple appliance apron aquarium
arch archway area armchair armpit arrears arrow artery artwork ash asset assumption asthma attic attire autumn avenue
awareness awning backpack backseat bacon bait balaclava ball balloon bandage banister bank-statement barbecue barn
barrel barrier base baseball basin basket basketball bathtub battery bead bean beard bedside bedtime bench beverage
bib bicarb bikini bin-bag binbag birthday biscuit bladder blanket blazer bleed blender blindfold blister
blood-pressure blouse blow board boat body-weight boiler bolt bomb bond bone-marrow bonus booth booze border boundary
bowel box boxer boxset bracket brain brakes branch brass bread breakdown breakfast breath-test breeze brick bridge
briefcase bristle broadband broom bruise bubble bucket bud buggy bulb bulge bundle bungalow bunk bunkbed burden burial
bus-stop bush business butter button buzzer cake calculator calorie camp can candle cane canister canoe canvas
capacity car-key cardboard cardigan cargo carriage carrot carton cartridge casserole cast castle catalogue category
cattle ceasefire celebration celery cemetery cereal ceremony chain-saw champagne channel characteristic charger chart
cheese chemical chequebook cherry chicken chip chipboard chocolate choke chore cigar circle circuit cistern clamp
clash clause claw clay cloth clothing-line cloud clue coal coast coat-hanger cobweb coffee-table coffin coil coin
collision colour column coma comb combination comfort commode compartment complexion component compound concept
concrete concussion condom confinement confusion congestion consent-form consequence container contraception
contraceptive contract contraction contrast contusion convenience convulsion cookie cooler copper copy cord corkscrew
corn corpse cosmetic cottage cotton countdown counterpane coupon courage courtyard cover cramp crate crayon cream
credit crib cricket crisp criteria crockery crop cruelty crumb crutch cube cubicle cuff cufflink cuffs cupboard curb
currency current cushion cutlery cyst dagger dairy data database deadline deadlock debris decade decay deceit deck
decoration deer deficit delusion denial dent dentures deodorant departure deposit depth desert desktop dessert
detergent determination deterrent device diagnosis dialysis diaphragm dice diet digit dignity dilemma dimension
dinner-plate dinner-table diploma dirt disadvantage disappointment disaster discharge discipline discomfort discount
discrimination disgrace disguise disgust dish dishonesty dishwasher disinfectant dislike disorder display disregard
distraction distribution ditch diversion division dizziness dock doll dollar domain domination donation doom doorstop
dosage dose dot draft drag drain drainpipe drama drapes draught draw dread dream dressing drip drip-stand driveway
drop drug-use drum dryer duct dumbbell dump dungarees dust dustbin duty duvet-cover dye earache eardrum earphone earth
eczema edge effect egg ego elastic election electricity elevator embarrassment embrace emission emphasis enamel
enclosure encounter endurance enforcement engagement-ring engine enjoyment entertainment enthusiasm entrance envelope
environment equipment erection error escalator essay essential estate-car estimate eternity etiquette evaluation evil
excitement exclusion excuse exercise exhaust exhaustion exit expectation expenditure expense exposure expression
extortion extract extreme eyesight eyewear fabric facility faeces fake fantasy fare farmhouse fashion fat fatigue
faucet feature fee fence ferry fever fibre fiction fiddle figure file fillings filter fingerprint fire-engine firewood
firework fish fishing flame flannel flap flash flashback flask flat-screen flesh flexibility flick flight flinch flood
floorboard flour flow flower flowerpot flu fluff fluid flush foil fold folder foliage foot-mark football footing
footmark footpath footprint footstool footwear forceps foreplay fort fortnight fortune foundation fountain fragment
frame freezer frequency fringe fruit frustration fuel fund fund-raising funeral fur furnace furniture fury fuse fuss
gadget gallery gallon gambling-debt game gap garage-door garbage garden-fork garlic garment gas gate-post gaze gear
gel gender geography gift ginger girth glance glare glimpse globe gloom glue goal goat gold golf golf-club good goods
gown grain gram grandeur grape grass grate gravel gravity grease greed grenade grill grimace grin groceries grocery
grudge grunt guarantee gut gutter guttering gymnastics haemorrhage hairbrush haircut hairdryer hairline hairspray halt
hamburger hammock handgrip handkerchief handlebar hanger hardship hatch hate-crime hatred haul hay headache headboard
headlight headline headphone headrest headscarf headset heap heart-attack heart-rate heartbeat heartbreak heat heater
heating heatwave hedge heel height helmet hen herb hesitation hiccup hijab hill hinge hob hobby holdall hole honesty
honey honeymoon honour hoof hook hoover hormone horn horror hose hospitality hostility hour-glass housecoat
household-item housework humour hunger hurry husky hut hydrant hygiene hypothermia hysteria ice icon ideation ignition
imbalance immunity implant implication impression impulse inch inclination inconvenience independence induction
industry infancy infection infertility inflammation ingredient inheritance inhibition initial injection ink inlet
innocence insomnia inspection instability installation instinct insult insurance intake intensity intercom intercourse
internet interruption interval intestine intoxication invasion inventory invoice iris iron ironing irritation island
ivory ivy jab jacuzzi jail jam jar jaundice jelly jersey job joint journey joy jug juice jump justice kebab keyboard
keyhole keypad keyring kick kilo kilometre kiss kit kitchen-knife kite knickers knob knot label labour-ward lace lack
ladder lake lamb landline landmark landscape lanyard lap larder laser lashing latch laugh laughter laundrette lawn
lawsuit layer layout leaf leaflet leak leather lecture ledge leftover legging legislation leisure lemon length lens
letterhead lettuce leverage lid lie lifetime lift ligament lighting lightning limb line linen lingerie lining link
lipstick liquid liquor litre litter livelihood loaf location-data lockdown locker locket log-book loneliness loop
lorry lot lotion lottery loudness lounge-door love-letter loyalty luck luggage lumber lump lunch lust luxury machine
machinery magazine magnet mail makeup mallet manipulation mansion manslaughter map marble margin marijuana market
mascara mask mass massage mast mat match-stick maternity maths mattress maze meal meat mechanism medal medicine melon
membrane meningitis menu mercy mess metal metre mettle microphone microscope migraine mile mince mind mineral minimum
minor-injury minus miracle mirror misery misfortune misogyny mission mist mistake mistreatment mitten mix mixture
mobility mode modesty moisture mole momentum money monopoly mop morality morphine mortality motel mould mound mountain
mourning mouthful mouthwash mucus mud muffle mug murder muscle mushroom music mustache mustard mutilation mystery
nail-file nap napkin narcotics naturalisation nausea necessity neckline necktie negligence nerve nest net nicotine
nightdress nightgown nightmare nightshirt nightstand nipple nitrous nod node nonsense noon normality nosebleed notion
novel nudity number nut nutrition oath obesity objection obsession obstacle obstruction occurrence ocean odour
offshoot oil ointment onion opening opposition optimism orgasm orientation ornament outbuilding outfit outhouse
outline output outrage outskirts ovary overall overalls overcoat overreaction oxygen ozone pace package packaging
packet pad padlock page paint-work painting pair palace palpitation pancake panel pantry pants paperclip parachute
parade paragraph paralysis parcel pardon parka parking parlour part-time particle partition pasta paste pastry patch
patience pattern pavilion paving payday pea peach peak peanut pear pebble pedal peg pelvis pen-knife pencil pendant
pepper pepper-spray percentage perfume permanence persistence persuasion petrol-can petticoat phobia phrase piano
picnic pie piece pier pig pigeon pile pin pinch pine pint pipe piping pit pitcher pizza plait plank planning plaster
plastic platform-shoe playstation plea pleasure plug plumbing pocket pocket-money poison poker pole policy pollution
pond pony pool porn pornography porridge portion position post-natal poster posture potato pouch poultry powder
precaution precision predisposition prejudice premium preparation prescription preservation pretence price pride
printer privacy privilege procedure product profit prognosis promise pronoun property proportion proposal prospect
prosperity prostitution protest provocation pub-crawl puberty puddle pulse pump punctuality purchase purity purpose
pursuit pus push puzzle quarrel quilt quota rabies race racism rack racket radiation radius rag raid rail railing
railway rain raincoat rake ramp ransom rate ratio ration ravine ray razor razorblade realisation realm rear-view
rebellion receipt recession recipe reconciliation recovery recreation rectum reduction redundancy reflection reflex
refrigerator refund refurbishment regime region registration regret regulation rehab rehabilitation rehousing
rejection relapse relief relocation reluctance remedy remnant remorse removal renewal rent-arrears repayment
repetition replacement replica repossession reputation requirement rescue resentment reservation reservoir resignation
resolution resource respect restlessness restraint restroom retaliation retirement retraction retreat retribution
retrieval revenge revenue reverse review reward rhythm ribbon rice ridge ritual rivalry robbery robe rocket rod
roof-space root rope-burn rose roster rota rotation rubber rucksack rudder ruin rumble rush rust rustle sabotage sack
sacrifice saddle safe safehouse sailing salad salary sale saliva salon salt sand sandal sandwich sanity sarcasm
satchel satellite satisfaction saturation sauce saucer sausage savings saw-blade scab scaffolding scarf schedule
scheme school-bag school-run score scrap scrape scrapyard screen-saver screw screws scribble script scrotum sculpture
sea seafood seal season seatbelt-mark seclusion secrecy seed seizure selfishness sellotape semen sensation sentiment
sequence session setback settlement severity sewage sewing sexuality shack shade shadow shampoo shape shard shark
shaver shaving sheath shed-door shell shelter shield shin-bone shiver shock-wave shopping-bag shore short shortage
shorts shot shovel shower-curtain shrapnel shrub shutter sickness side-effect sideboard siege signature silence silk
sill similarity sin siren site skeleton sketch ski skid skip sky slab slack slash slate slavery sledge sledgehammer
sleeve slice slide sling slippage slit slogan slope slot slump smartphone smartwatch smear smog smoke-alarm smoking
smudge snack snake sneaker sniff snow soap sobriety socket soda sodium software soil solitude solvent song soreness
sorrow soup souvenir space spade spanner spark spasm spatula specimen spectacles speech speed spell sphere spice
spider spike spill spinach spine spite spitting splash splint splinter spoon spray spring spring-clean spur square
squat stability stadium stain stairgate stairwell stake stalemate stall stamina stamp stand staple star starvation
stash static statue stature steak steam steel stem step-ladder stereo sterilisation stern steroid stethoscope stigma
stillbirth stimulus stocking stomach-ache stool stopover storage storm stove straightener strain straw strawberry
stream strip stroll stroller stubble stud studio stuff stump stupidity stutter subscription substitute subtlety
success suede sugar suit suitcase sum summer sun sunburn sunday-lunch sunglasses sunlight sunrise sunset supper
suppression surface surplus survival suspension sweat sweater sweatshirt sweet swimming swimsuit swing switch
sword-stick sympathy symptom syndrome synopsis syringe syrup system table-cloth table-lamp tablet-computer tack
takeaway-meal tampon tank tanning tap-water tariff tarmac tarpaulin task taste tattoo tax taxi-fare tea-towel teapot
teardrop tears tease technique technology teeth-mark telephone-line teletext temptation tendon tennis tent termination
terrace terrain territory terror testicle textile texture theme therapy thermometer thermos thirst thorn thread throne
throw throw-rug thunder ticket tide tie-wrap tights tile till-receipt timber timer timetable timing tin-foil tinnitus
tiredness tissue tobacco toe-nail toiletries token tolerance toll tomato tool toolbox toothbrush toothpaste torch
torment torture touchscreen tourniquet towel-rail tower toxin toy-box trace track tracksuit trade traffic tragedy
trainer-mark tram trance tranquilliser transaction transition transport trash trauma tray treadmill treasure tree
tremor trench trend triangle trigger trim trip tripod trolley trophy trouser-leg truck trunk tube tubing tuition
tumble tumble-dryer tumour tunnel turf turmoil tv-stand twig twist twitch typewriter ulcer ultimatum ultrasound
umbrella uncertainty unconscious undershirt underskirt unity universe unrest upbringing urgency urine usage utensil
uterus utility vacancy vacation vaccine vacuum vagina validity valley valuables vandalism vanity vapour variable
variety varnish vase-stand vault veg vegetable vehicle-check veil venom venue verdict verge vest vibration vice
vicinity victory viewpoint villa vinegar vineyard violation virus vision vitamin vodka-bottle void volume vomit
voucher vulnerability wad waistband waistcoat walkway wallet wallpaper warehouse warmth warning wart washbasin washer
washing-machine waste watch-strap water-bottle waterproof wave wax weakness wealth webcam wedding wedge weed weeknight
welfare well-being wellbeing wellington whip whirlpool whistle wick width wig wilderness wind windfall window-frame
window-pane windscreen-wiper wine-glass wing winter wipe wiring wisdom wish-list wonder woodland wool wording
workbench worktop worm wreckage wrinkle wristband x-ray xbox yawn yoghurt zip zone
"""
QUALITIES = """
absently absolute abstract absurd abundant abusively academic accidental accordingly accountable accurate accurately
aching acute addictive adequate adequately adverse affectionate affluent affordable ageing aggressively alarming alike
alternatively ambitious ample amused ancient angrily annoyed annual annually anterior antisocial anxiously anyhow
anymore anyway anywhere appalling aptly arctic arrogant articulate artificial asthmatic asymmetrical attentive
attractive authentic automatic automatically average awful awkward balanced bald barely basic bearable bearded
beautiful bedbound beforehand beige beneficial beside bespoke biased bilateral bitter bitterly bizarre blank blankly
blindly blistered blonde bloodshot bloodstained bluntly boiling bold boldly bored boring bottomless brave bravely
breathless bright brightly brittle broad broad-shouldered broadly brutally bulky bumpy burly burst busily busy by
callous candid capable careless casual casually catastrophic cautious cautiously central centrally chaotic
characteristic charged charming chaste cheeky cheerful chemical chiefly childish chilly chipped chronic chubby
circular clammy classic clever clinical closely clumsy coherent coldly collectively colossal coloured colourful
comatose combative combined comfortable comfortably commercial commonly compact comparable comparatively compatible
compelling competent complex complicated comprehensive compulsive compulsively compulsory computerised concealed
concrete concurrently condescending confident confidently congenital conscientious consecutive consecutively
consequently considerable considerably considerate consistently conspicuous contagious contaminated content continued
convenient conveniently conventional corrosive costly courteous coy crafty cramped crazily crazy creative creepy crisp
critically crooked crucial crudely cruelly crumpled cumulative curious curiously curly currently curved customary
cynical dangerously dazed deadly dear debilitating decent decisive defensive defensively defiant definite degrading
dehydrated deliberate deliberately delicate delighted delirious delusional demanding demeaning demented dense densely
derelict derogatory desperately detached determined detrimental devastated devoted diabetic diagonal differently
digital diligent dim diminished disappointed disastrous discoloured discreet disgusted disgusting disheartened
dishonest disjointed dismissive dismissively disorientated disoriented displaced disposable disproportionate
disrespectful disruptive dissatisfied distended distinct distinctly distorted distracted distressing disused dizzy
dominant dominating dormant double downhill drastically dreadful dreadfully drowsy drugged drunkenly dull duly durable
dyslexic eager earnest easily eastern eccentric economic economically edgy effective effectively effeminate efficient
efficiently effortlessly eighth elaborate elastic elated electric electrical electronic elegant elevated eligible
elsewhere embarrassed embarrassing emotionally encouraging endless endlessly enforceable enormous enormously enraged
enthusiastic entirely envious epileptic equal equally erect erotic erratically especially essential essentially ethnic
evenly everlasting everywhere evil exaggerated excellent exceptional excessively excited excitedly exclusive
exclusively exhausted exhausting exhaustive expensive experienced explicit explosive exposed expressive expressly
extensive extensively externally extra extraordinary extravagant exuberant faded faintly faithful faithfully falsely
fantastic farcical fascinated fatal favourite fearless feasible feeble feebly ferocious ferociously fertile feverish
fiercely fiery fifteenth filthy finite flabby flaky flammable flashy flawed fleshy flexible flimsy floppy floral fluid
foldaway foolish foolishly forceful foremost forensic forever forgetful formal formally formerly fortunate forward
foul fractured fragile fragrant frankly frantic frantically fraudulent freely frequented freshly frizzy frosted frosty
frozen fruitless frustrated frustrating full-time fuming functional fundamental furious furiously furnished
furthermore furtive futile gaping generous generously genital gently genuine genuinely gigantic glad glamorous glassy
gloomy glossy golden goodbye gorgeous graceful gracefully gradual graphic grateful gratefully gravely greasy greedily
greedy grim groggy gross grotesque grubby gruelling grumpy gullible habitually hairy halal halfway handy haphazard
hapless happily harassed hardened harmless harmonious harshly hastily hasty hateful hazardous hazy hearing-impaired
heartily heated hectic hefty helpful helpless helplessly hence henceforth hesitant hesitantly hesitatingly hideously
high-pitched high-risk hilarious hollow honestly honourable hopeful hopefully hopeless hopelessly horizontal horrible
horribly horrific horrified hostile hourly however humanely humble humid humiliated humiliating hurried hurriedly
hurtful hurtfully hypocritical hysterically icy ideal ideally idle illegal illegally illegible illegitimate illogical
imaginary immature immense immobile immoral immune impartial impatient impatiently imperative impersonal impolite
impossible impotent impractical impressive impulsive impulsively inaccessible inaccurate inadequate inadvertent
inadvertently incapable incapacitated incessantly incidentally incoherent incoherently incomplete inconsistent
inconsolable incontinent incorrect incorrectly incredible indecisive indeed indefinite indefinitely indifferent
indiscriminate individually ineffective inevitable inevitably inexperienced infected inferior infertile infinite
inflamed inflammatory inflated inflexible infrequent infrequently inherent injectable innocent innocently inquisitive
insane insecure insensitive insignificant insistent insistently instant instantly instinctively insufficient insulting
insultingly integral intensely intensive interested interior intermediate intermittently internally interrogative
intimately intolerable intolerant intoxicating intricate introverted intrusive invalid invaluable invasive invisible
involuntary inward inwardly irate ironic irregularly irreparable irresistible irresponsible irreversible irritable
irritably irritated itchy jagged jealously jet-black jittery joint joyful judgmental juicy just keen keenly keyless
kind kindly lame largely lastly lateral lavish lawful lawfully lazy leaky lean leathery legally lengthy lenient lethal
lethargic level liable lifeless lifelong lightweight limply literally little lively loaded loathsome locked logical
logically lonely long-lasting long-term longer longingly longstanding loosely lousy loving lovingly low-level low-risk
lucid lucky lukewarm luminous luxurious lying mad magnetic makeshift maliciously malnourished mandatory manic
manipulative manual manually marginal marginally markedly masculine masked massive maternal maximum meagre mean
meaningful meanwhile medicated medicinal meek meekly melancholy memorable menacing menacingly menial menstrual
merciful merciless mercilessly mere merely messily metal metallic methodical metropolitan middle-aged midway midweek
mighty mindful miserably misguided misleading missing mistaken mistrustful mixed mock moderately molested momentarily
monotonous monstrous morbid moreover mortal motionless motivated mouldy mountainous mournful muddy muffled multiple
murderous murky muscular musical mutually mysterious naive namely narrowly nastily natural naturally naughty nauseous
neat neatly nebulous necessarily necessary needless needy negatively neglected neglectful nervously neural neurotic
neutral nevertheless nicely nightmarish ninth noble nocturnal nominal non-fatal non-verbal nonchalant nonetheless
northern nostalgic notably noteworthy noticeably numb nutritional obedient obese objectionable objectively oblivious
obnoxious obscured obsessed obsessively obstructive obtrusive occasional occupied odd oddly offensive offensively oily
old-fashioned ominous ongoing opaque operational opportunistic oppressive optimal optional oral orderly ordinarily
organised orthodox ostracised otherwise outdated outdoor outgoing outrageous outright outspoken outstanding outward
oval over-protective overbearing overboard overcast overcrowded overhead overjoyed overly overprotective overt
overweight overwhelmed painfully painless panicked panicky parallel paralysed paramount paranoid partial partway
passionate passive passively paternal pathetic patiently patronising peaceful peacefully peculiar penniless perfect
perfectly perhaps perilous periodic periodically peripheral permissible perpetual perpetually perplexed persistently
persuasive perverse perverted petite petty philosophical physical picturesque piercing pinned pitiful placid plainly
plastic plausible playful pleasantly pleased plump plus pointless poisonous politely polluted pompous poorly populated
pornographic portable post-traumatic postnatal powerful powerfully powerless practical practically precarious precious
precise precisely predatory predictable predictably predominant predominantly preferably prejudiced preliminary
premature prematurely prenatal preoccupied prepared prescribed presentable pressing prestigious presumptuous prevalent
preventable pricey prickly primarily problematic proficient profound profusely progressive progressively prohibited
prolific prolonged prominent promiscuous promising promptly prone proportionate prospective protected protective proud
provocative provocatively prudent psychological psychotic pubic punctual punctually punitive puny pure purely
purposefully purposely pushy puzzled quaint quarrelsome queasy questionable quick-tempered quicker racial racist
radical radically ragged rainy rampant random randomly rapidly rashly rational rationally raucous ravenous raw
reachable reactive readily reasonable reasonably rebellious reckless recklessly recognisable recoverable rectangular
recurrent recurring reddened redundant reflective refreshed refreshingly regardless regretful regretted rehabilitated
relatively relentlessly religious reluctant reluctantly remarkable remarkably remorseful remotely renewed repetitive
repressed reproductive repulsive resentful residual resilient resistant resolute resourceful respectable respectful
respectfully respectively respiratory restless restlessly restricted restrictive retaliatory revengeful reverse
revolting rewarding rich ridiculous ridiculously rigged rightly rigid rigidly rigorous riotous ripe risky robust
romantic rotten roughly routine routinely rowdy rubber rudely ruined rural rusty ruthless ruthlessly sacred sadistic
sadly salty sane sarcastic sarcastically satisfactorily satisfactory satisfied savage scalding scarce scarcely scarred
scary scattered sceptical scornful scrawny screwed scruffy seasonal secluded secondary sedentary segregated seldom
selective self-conscious self-contained self-employed self-inflicted selfish selfishly semi-conscious senile
sensational sensible sensibly sensual sentimental separable separately servile seventh sexist shabby shaken shaky
shallow shameful shapeless sharp-edged sharply shattered shatterproof sheepish sheer shiny shocked shocking
short-lived short-tempered short-term showery shrill shy sickening simultaneously sincere sincerely sinful
single-handed singly sinister sixth sizeable skeletal skilled skinny slack sleepless sleepy slender slick slimy
slippery sloppy sluggish sly slyly smart smelly smoky smooth smoothly smug snappy sneaky snug soaked soaking sociable
softly solemnly solid solitary sombre somehow somewhat sonic soothing sophisticated sordid soundly sour southern
spacious sparingly sparse spasmodic spatial spectacular speechless speedily speedy spiky spineless spiral spiteful
spitefully splendid split spontaneous spontaneously sporadic sporadically spotless spotty spurious squalid square
squarely stable stagnant stained stale stalled startled startlingly starving stationary steadily steamy steep steeply
stern sternly sticky stiffly stillborn stony straightforward strained stranded strangely strategic strenuous stressed
stressful strict strictly striking stripy structural stubborn stubbornly stunned stunning stupid stupidly sturdy
stylish subconsciously subdued subjective submissive subsequent subsidised substantially subtle suburban successful
successive successively sudden sufficiently suffocating suitable suitably sulky sultry sunburnt sunny super superb
superbly superficially supportive surgical surplus susceptible suspiciously sweetly swift swiftly swollen symbolic
symmetrical sympathetic sympathetically symptomatic synthetic systematic systematically tactful tactical tame tangled
tasteless tatty tearfully technical tedious teetotal temperamental temporarily tempted tenderly tensely tentative
terminal terrible terribly testing thankfully therapeutic thermal thickly thinly thirsty thorough thoroughly
thoughtful thoughtfully thoughtless threateningly thwarted ticklish tidy tightly timely timid tinted tirelessly
tiresome titled together tolerable tolerant tone-deaf toothless topless torn torrential tortured torturous toxic
tragic tragically tranquil transient transitional transparent traumatised treacherous treasured treatable tremendous
triangular tricky triggered trivial trivially tropical troubled troublesome turbulent twelfth twisted twofold ultimate
ultimately ultraviolet unacceptable unacceptably unannounced unarmed unattended unauthorised unavailable unavoidable
unavoidably unbearable unbearably unbelievable uncertain unchanged uncomfortable uncomfortably uncommon unconcerned
unconditionally uncontrollable uncontrollably unconventional undecided undeniable underage underdeveloped underground
underlying underneath undernourished understandable underwater undesirable undetected undressed undue unduly uneasy
uneducated unequal uneven uneventful unexpected unexpectedly unexplained unfairly unfaithful unfamiliar unfastened
unfinished unforgettable unforgivable unfurnished ungrateful unhappily unhappy unhelpful unhygienic uniform uniformly
unilateral unimportant uninhabitable unintentional unintentionally uninterested uninterrupted unique uniquely unjust
unjustly unkempt unkind unkindly unknowingly unlawful unlawfully unlicensed unlimited unlucky unmarried unnatural
unnecessarily unnecessary unoccupied unpredictable unprepared unprotected unprovoked unreachable unreal unrealistic
unreasonable unreasonably unregistered unrelated unresolved unresponsive unrestricted unruly unsanitary unsatisfactory
unscathed unsettled unsightly unskilled unsolicited unsteadily unsuccessful unsuitable unsupervised unsupported unsure
unsuspecting unsympathetic untimely untouched untreated unusually unventilated unwarranted unwashed unwillingly unwise
unworthy upbeat upright upsetting upside uptight urban urgently usable usefully utter vacant vaginal vaguely vain
valiant valuable variable varied vast vastly venomous verge versatile vertical vertically vexed viable vibrant
viciously vigorously vindictive vintage violated virtual virtually visual visually vivid vividly volatile voluntarily
voluntary vulgar warmly wary washable wasted wasteful watertight watery wayward weakly wealthy wearily weary
weather-beaten weepy weighty well-built well-dressed western whatever wheezy whereas whereby wherever whichever whilst
whimsical wholesome wicked wickedly wide-open widely widespread wildly wilful willingly windy wired wiry wise wisely
withal withdrawn wobbly wonderfully wooden woollen wordless worldwide worn worriedly wretched wrinkled wrongly yearly
yellowish youthful zealous
"""
