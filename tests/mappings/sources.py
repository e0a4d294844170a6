"""Sentences of police narrative, each labelled by hand by whether it says who reported, or what a third party said.

Written for this suite; nobody in them exists. SOURCES must never be told to the NHS (N3). PLAIN say what happened to
the victim, what officers saw, what victim or suspect said, and how children are: withholding one costs the adviser
something and endangers nobody.

They were written in four lots for lists of words that named sources, which let 12 of 30, 8 of 30 and 7 of 20 of each
later lot through. The rule that took their place withheld all of SOURCES when it first met them; `lots` holds what was
written for it.
"""

from __future__ import annotations

SOURCES = tuple(
    """
The informant was a woman who lives two doors down.
Call received at 19:52 from a male passing on foot.
Reported by the victim's mother who wished to stay anonymous.
Anonymous report via Crimestoppers.
The caller gave the name of Delphine.
Caller states she could hear screaming through the wall.
Third party report received via the council noise team.
Her sister phoned to say that he had the children.
The victim's mum rang 101 because she was scared for her.
Mother says he has done this before.
A friend has told police that she is not allowed out.
A colleague of the victim's raised concerns.
Her manager reported bruises on her arms.
School raised a safeguarding concern.
The school nurse disclosed that the eldest had drawn it.
Health visitor made contact with concerns about the baby.
Information from housing was that the door had been kicked in.
According to the landlord the rent is unpaid since he moved in.
A delivery driver who knocked saw her crying.
The taxi driver dialled 999.
Bar staff ejected him and called police.
A passer-by filmed it.
Passer by in a red coat said he ran towards the station.
Neighbours report daily shouting.
NEIGHBOUR AT NO 14 REPORTS BANGING
Next-door heard a thud.
The man upstairs heard a thud and then quiet.
The couple upstairs rang in.
Resident in the flat below complained of noise.
One of the neighbors came out.
Witness 1 describes a male in a grey hood.
W1 states that the male had her by the hair.
Wit statement obtained from the shop.
CHIS reporting indicates that he has a knife.
Source reporting suggests he is living there again.
Intel received that he has been seen at the address.
Intelligence from a member of the family suggests he controls her money.
We were tipped off that he was back.
A tip-off led officers to the caravan.
Informed by her ex-husband that she had been seen with bruises.
Ex-husband's new partner contacted us.
His ex-partner told us that he did the same to her.
A previous partner has come forward.
Her solicitor emailed to say that the order was breached.
The vicar noticed the marks and spoke to her.
Her hairdresser noticed bruising and messaged us.
The dog walker found her outside.
A member of the public stopped the patrol car.
MOP flagged down officers.
M.O.P. flagged down patrol.
INFT rings to say that her daughter is being hit.
Inf states male has kicked the door.
Infmt is worried for the kids.
Rep by son of AP.
Reporting person is the aggrieved's aunt.
The RP is her cousin.
RP refuses to give details.
Ambulance control passed it to us.
Paramedics reported that she had said he strangled her.
A&E nurse rang the control room.
Her GP wrote to us.
The midwife flagged it at booking.
Children's services referred it.
Social worker asked for a welfare check.
MASH received a referral from the nursery.
Her key worker says she returned to him.
The refuge worker told us that she left on Sunday.
The IDVA heard from her friend that he found the address.
Womens Aid contacted us on her behalf.
Samaritans passed on a call.
A text from an unknown number said he would kill her.
An online report was submitted by somebody who will not be named.
The web form gives her brother as the reporter.
Someone shouted from a window that he had gone.
Somebody living there let us in and said it happens weekly.
People in the street said that they had seen him before.
Locals said that he had been drinking all day.
Two girls at the bus stop saw him drag her.
Grandmother is the one who let us know.
Grandad came into the front office.
Nan told officers where to find him.
Stepdad reports that she came home with a split lip.
His own mother believes he is capable of it.
His brother gave us the address.
The suspect's flatmate let slip that he owns a crossbow.
Her housemate showed officers the messages.
Housing officer visited and saw the hole in the wall.
Security guard restrained him until we arrived.
CCTV operator watched it and called it in.
Control room operator overheard threats in the background of a third party's call.
It was the lodger who came to the counter.
Heard by next door.
This was seen by the builders opposite.
The child told his teacher that daddy hurts mummy.
Daughter disclosed to school that she hides under the bed.
Teaching assistant saw the daughter flinch.
The after-school club has passed this on.
Her pastor phoned on Sunday.
Interpreter on an earlier call said that she sounded coached.
The bank alerted us to the withdrawals.
Her employer wants it known that she has not been at work.
We learned of this through her support group.
Details came in via a friend of a friend.
Victim's best mate contacted officers on social media.
Facebook message from his cousin to the force.
The lady across the landing rang it in.
Call came from a phone box by someone not wishing to leave details.
The chap from number 9 flagged this.
Ring doorbell clip was sent in by a relative.
Her line manager made a referral.
Tenancy officer phoned with concerns.
Her aunty is frightened for her and asked that we go round.
Two students in the shared house heard him shouting.
A cyclist stopped the van.
He was seen leaving by a window cleaner.
Her foster carer made contact.
Probation told us he had moved back in.
Initial report was made by a support worker at the hostel.
It was called in by her dad.
Concern raised by her church.
Someone in the chat group sent a screenshot to police.
We had a call from her ex.
Person reporting asks not to be identified.
The estate agent spotted blood in the hall.
Her carer says he takes the tablets.
A woman in the queue told staff.
Nursery passed on what the boy had said.
The firefighter noticed a bolt on the outside of the door.
His step-son let the school know.
From what the barmaid says he had eight pints.
Confidential source indicates a shotgun.
Partner agency shared that he has a new address.
The postie heard crying.
Her twin has been on to us.
An off-duty nurse intervened.
The allotment holder opposite put this on the portal.
Log created following contact from a distressed female, not the victim.
Her eldest sister walked into Fleetwood station.
Report passed from Cumbria, whose caller is his mother-in-law.
A lorry driver at the lay-by pulled over and dialled us.
Her ex husband believes she is being coerced.
It came to light through a teacher.
Victim's landlord is the reporting party.
The pharmacist picked up on it when she collected a script.
Train guard radioed ahead.
Two neighbours, both elderly, are willing to make statements.
Shop worker hid her in the store room.
Information comes from his own brother, who fears him.
We attended because the cleaner found her.
Officers spoke to the man at number 6, who has heard this weekly.
Police spoke with her best friend, who says he tracks her.
She was brought in by a street pastor.
He was detained by two men from the rugby club until officers came.
Enquiries with the family next to them show that it is nightly.
Initial 999 from a child's friend's phone.
Victim's stepfather wants him gone and gave a full account.
A council tenant who fears reprisals gave this.
Her nail technician saw strangulation marks.
Mrs Pellworth from the flat above is the witness.
The babysitter knew.
Social care shared that the unborn is on a plan.
Employer HR has logged three incidents.
The gym instructor saw fingertip bruising.
Someone on the 14 bus overheard it.
A taxi firm passed on a recording.
Her riding school owner drove her to the station.
The ex-sister-in-law posted it online and tagged the force.
An estate warden's log shows eleven visits.
Chap walking home filmed the end of it.
Both flatmates have left the address in fear.
Victim's co-worker drove her here.
Police attended on the word of his grandfather.
It was one of the bingo staff that pressed the alarm.
This was passed to CID by a prisoner.
Parking attendant pulled him off her.
There was a call from her nephew.
Her daughter texted her father for help.
The eldest child rang from the bathroom.
Her Uber driver locked the doors and drove off.
He was pointed out by drinkers.
Two lads chased him.
His probation officer believes that he will offend again.
A letter pushed under the desk at the library named him.
The neighbour's camera caught it.
Victims mum is the one that phoned.
""".strip().splitlines()
)

PLAIN = tuple(
    """
He pushed her against the wall.
He held her by the throat for about ten seconds.
She could not breathe and thought that she would die.
Victim states that he took her phone.
Victim said he has done this before.
AP states that he threatened to kill her.
The aggrieved disclosed that he controls her money.
She told officers that she is frightened of him.
She reported pain to her neck.
Victim has redness to the left cheek.
No visible injuries.
She had a cut lip and a swollen eye.
The suspect denied it.
Suspect stated that she fell.
He said that he would burn the house down.
He told her that nobody would believe her.
He was arrested at 20:40 on suspicion of assault.
He was bailed not to contact her.
He made off before officers arrived.
Officers attended at 20:31.
Officers saw that the kitchen door was off its hinges.
Police were called at 20:05.
Body-worn video was running throughout.
Photographs were taken of the injuries.
Two children were upstairs in bed.
The children were present but did not see the assault.
Her son was in the room.
The baby was in her arms.
The eldest was seen and spoken to and appeared well.
The child was not injured.
They have been in a relationship for six years.
They separated in January.
She is 20 weeks pregnant.
She has one child with him.
He is the father of the youngest.
She lives with her mother at present.
She will stay with family tonight.
She asked for no contact by post.
Safe to call between 10 and 2.
Do not leave a voicemail.
She does not support a prosecution.
She agreed to a referral to an adviser.
She declined a referral to Victim Support.
A DASH was completed and graded high.
Supervisor agreed with the grade.
There is a non-molestation order in place until May.
He breached the order by going to her address.
He has followed her to work three times this month.
He messages her up to fifty times a day.
He checks her phone every evening.
He keeps her bank card.
He has threatened to take his own life if she leaves.
He drinks every day.
He has access to a shotgun at the farm.
There is a dog at the address which is not friendly.
The address was searched and no weapons were found.
He grabbed her hair and dragged her into the hall.
He smashed the television.
He kicked the door in.
He spat at her.
He stood over her while she called the ambulance.
She was taken to hospital.
She was checked by paramedics at the scene and did not go to hospital.
She has bruises from an earlier assault in March.
This is the third incident since Christmas.
It happened in the car on the way home.
It started as an argument about money.
It began when she looked at his phone.
He was drunk.
Both had been drinking.
He has a key to the house.
The locks were changed the same evening.
She was given a panic alarm.
She speaks Polish and needs an interpreter.
She has a hearing impairment.
She feels safe at the address now.
He knows where her parents live.
He does not know where she works.
He will be at court on Monday.
He is due to be released on Friday.
Victim believes that he has put a tracker on her car.
He called her names in front of the children.
He pulled the phone out of her hand.
She was pushed down three stairs.
The injuries are consistent with her account.
Enquiries continue.
The suspect is wanted.
He threatened to post pictures of her.
She is worried that he will come back.
She wants him to stop.
He slapped her twice.
Victim stated that he pinned her to the bed.
She was shaking and tearful.
He ripped her coat.
He threatened her with a kitchen knife.
She managed to lock herself in the bathroom.
He has been arrested before for assaulting her.
She gave a signed account.
She is in fear of further violence.
There were three children in the house.
Her daughter was asleep.
He took the car keys and left on foot.
He refused to leave.
She is not hurt.
He told her to get out.
The victim's phone was smashed.
Officers seized the knife.
He made no reply to caution.
She would like to be contacted by text.
She works at a supermarket.
He is on medication for depression.
She has family in Leeds.
The couple have lived together since 2019.
She is moving to her parents' house.
He has no contact with the children.
She reported that he had followed her.
He sent her forty messages overnight.
He turned up at her work.
She has been isolated from her friends.
He was bailed to his mother's address.
He bit her forearm.
She escaped through the back window.
He blocked the doorway.
Suspect was found hiding in the loft.
He shouted that he would find her.
She fell against the radiator and cut her head.
He had a hammer in his hand.
Victim says he controls what she eats.
She fears for her life.
The argument was about the baby's feeding.
He threw her phone into the road.
They are not married.
He is a roofer.
Suspect is believed to be in Preston.
She has asked for the locks to be changed.
He was interviewed and released under investigation.
Victim does not want to go to court.
He has used cocaine.
She showed officers the messages on her phone.
He grabbed the steering wheel while she was driving.
She is under the care of the mental health team.
He is forbidden from entering the street.
There was blood on the bathroom floor.
She disclosed that he raped her in December.
It is her tenancy.
He demanded her passwords.
He posted intimate pictures of her online.
The victim said that he strangled her until she passed out.
She left the home with the children at 02:00.
Risk was graded as medium by the attending officer.
He woke her by pouring water on her.
Victim has a broken finger.
He cut the brake cable of her car.
She had hidden in the shed for two hours.
They argued about his gambling.
The assault lasted about five minutes.
He is due in court on 3 June.
The baby was asleep in the cot.
Her eldest was at school at the time.
Victim is deaf and uses British Sign Language.
He is known to carry a blade.
She has no recourse to public funds.
Her passport is with him.
The rent is in his name.
He set up cameras inside the house.
She wants to move area.
He does not know that she is pregnant.
Dogs were barking.
She was given advice on a non-molestation order.
He told her that he would take the children abroad.
""".strip().splitlines()
)
