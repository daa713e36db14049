"""The English words of the special categories.

One entry a word or phrase, matched on whole words in lower case: `_` joins the words of a phrase, a final `*` leaves
the ending of its last word open. Apostrophes and hyphens part words ("x-ray" is `x_ray`). What is mostly said of other
things stands only in a phrase ("the temple", "the glasses"), and `HARMLESS` is cut out of a text before anything is
looked up.
"""

from __future__ import annotations

ENGLISH = {
    "health": """
        ill illness* disease* sick sickness unwell ailment* symptom* prognosis terminally syndrome* infirm* medical*
        medication* medicine* prescri* pill pills painkiller* pharmac* dosage antibiotic* amoxicillin penicillin
        antidepress* ssri* antihistamine* antipsychotic* opioid* oxycod* morphine codeine tramadol ibuprofen
        paracetamol acetaminophen tylenol advil naproxen aspirin statin* beta_blocker* blood_thinner* warfarin
        anticoagul* heparin insulin metformin ozempic semaglutide wegovy mounjaro tirzepatide lisinopril ramipril
        losartan amlodipine bisoprolol atorvastatin simvastatin omeprazole pantoprazole levothyrox* thyroxin* thyroid*
        prednison* cortison* steroid* methotrex* humira adalimumab tamoxifen cetirizine loratadine ventolin albuterol
        salbutamol inhaler* nebuli* epipen* zoloft sertraline prozac fluoxetine citalopram escitalopram lexapro
        venlafaxine duloxetine mirtazapine bupropion wellbutrin quetiapine lamotrigine xanax alprazolam valium
        diazepam lorazepam ativan adderall ritalin methylphenidate vyvanse concerta gabapentin pregabalin melatonin
        sleeping_tablet* iron_tablet* iron_supplement* iron_deficien* deficiency vitamin_d b12 allerg* intoleran*
        lactose* coeliac* celiac* anaphyla* hay_fever asthma* eczema psoria* rosacea acne rash rashes hives cancer*
        chemo* radiotherap* radiation_therapy tumour* tumor* oncolog* leukaemi* leukemi* lymphoma* melanoma*
        carcinoma* sarcoma* metasta* biops* mammogra* mastectom* lumpectom* remission diabet* prediabet* blood_sugar*
        blood_glucose glucose hba1c a1c hypoglyc* hyperglyc* blood_pressure hypertens* hypotens* cholesterol
        cardiolog* cardiac* cardiovasc* heart_attack* heart_failure heart_condition* heart_disease heart_surgery
        heart_murmur heart_problem* heart_rhythm heart_valve weak_heart bad_heart pacemaker* stent stents
        bypass_surgery bypass_operation stroke strokes angina arrhythm* atrial aneurysm* embolism* thrombos*
        blood_clot* varicose anaemi* anemi* haemoph* hemoph* sickle_cell transfusion* transplant* dialysis kidney_*
        cirrhosis fatty_liver liver_disease liver_* jaundice hepatitis crohn* colitis ibs ibd irritable_bowel bowel*
        reflux heartburn gastri* ulcer* stoma colostomy colonoscop* endoscop* hernia* appendic* gallbladder gallstone*
        haemorrhoid* hemorrhoid* incontinen* diarrh* constipat* vomit* nausea* nauseous fever fevers feverish cough*
        sore_throat flu influenza covid* coronavirus long_covid pneumonia bronchit* copd emphysema tubercul* malaria
        dengue lyme shingles measles mumps sepsis infection* inflamm* vaccin* immuni* booster_shot jab jabs autoimmun*
        immunosuppress* immunocomprom* lupus arthrit* rheumat* osteo* fibromyal* sciatic* scolios* slipped_disc*
        herniat* tendonit* tendinit* carpal_tunnel gout fracture* sprain* torn_ligament torn_acl torn_meniscus
        broken_leg broken_arm broken_wrist broken_hip broken_ankle broken_foot injur* wounded concussion* whiplash
        amput* prosthe* paralys* paralyz* parapleg* quadripleg* tetrapleg* cerebral_palsy down_syndrome
        muscular_dystrophy cystic_fibrosis spina_bifida multiple_sclerosis parkinson* alzheimer* dementia huntington*
        motor_neurone epilep* neuropath* neurolog* migraine* headache* toothache* backache* stomachache* stomach_ache*
        stomach_pain* earache* ache aches aching pain pains painful vertigo dizz* tinnitus disabilit* disabled_parking
        disabled_person disabled_people disabled_son disabled_daughter disabled_sister disabled_brother
        disabled_veteran am_disabled m_disabled is_disabled_since registered_disabled handicap* wheelchair* crutch*
        walking_frame stairlift blind_in is_blind am_blind m_blind went_blind going_blind born_blind legally_blind
        blindness visually_impaired low_vision braille guide_dog deaf* hard_of_hearing hearing_aid* hearing_loss
        hearing_impair* cochlear sign_language glaucoma cataract* macular retinal detached_retina shortsighted
        nearsighted astigmati* contact_lens* colour_blind* color_blind* stutter* stammer* neurodiver* neurodev* adhd
        autis* asperger* dyslex* dysprax* dyscalc* tourette* learning_disab* learning_difficult* ocd
        obsessive_compulsive ptsd traumatic trauma traumati* bipolar schizo* psychosis psychotic psychiat*
        psychotherap* psychologist* therapist* therapy counselling counseling depress* anxiety anxious panic_attack*
        mental_health mentally_ill mental_breakdown nervous_breakdown burnout burned_out burnt_out eating_disorder*
        anorex* bulimi* binge_eat* body_dysmorph* self_harm* suicid* insomni* sleep_apn* cpap narcolep* sleepwalk*
        night_terror* sober sobriety rehab relaps* addict* alcoholic alcoholics alcoholism detox cocaine heroin meth
        methadone fentanyl opiate* overdos* cannabis twelve_step aa_meeting* na_meeting* quit_drinking
        stopped_drinking gave_up_drinking drinking_problem quit_smoking stopped_smoking gave_up_smoking stop_smoking
        smoker chain_smok* nicotine gambling_problem hospital hospitals hospitalis* hospitaliz* clinic clinics
        ambulance intensive_care icu emergency_room er_visit palliat* hospice nursing_home care_home carer caregiver*
        surger* surgeon* surgical* knee_operation hip_operation heart_operation back_operation hip_replacement
        knee_replacement anaesth* anesthe* my_doctor s_doctor the_doctor the_doctors a_doctor_about
        doctor_s_appointment doctors_appointment doctor_said doctor_says doctor_told my_specialist physio* chiropract*
        acupunct* orthop* podiatr* dentist* dental denture* root_canal wisdom_tooth wisdom_teeth tooth_extract*
        orthodont* gum_disease gynaec* gynec* obstet* urolog* prostate proctolog* nephrolog* endocrin* haematolog*
        hematolog* pregnan* expecting_a_baby expecting_our trimester miscarr* stillb* stillborn abortion* ivf
        infertil* fertility midwi* ultrasound* ectopic endometrio* pcos menopaus* perimenopaus* menstru* period_pain*
        period_cramps hot_flush* hot_flash* postpartum postnatal antenatal prenatal breastfe* breast_milk c_section
        hysterectom* vasectom* obes* overweight underweight bmi bariatric low_sodium low_salt low_fodmap fodmap
        blood_test* blood_work bloodwork x_ray* xray* mri ct_scan* cat_scan pet_scan bone_scan ecg ekg eeg in_a_coma
        my_health her_health his_health their_health health_problem* health_issue* health_condition* health_reasons
        health_scare health_anxiety ill_health poor_health failing_health health_insurance hormone_therapy
        hormone_replacement hrt testosterone oestrogen estrogen hiv hpv herpes chlamydia gonorrh* syphilis std stds
        sti stis special_needs caregiving tremor* tremors limp limping numbness swollen swelling nosebleed* bedridden
        housebound tonsil* sinusit* otitis conjunctivit* ringworm lice scabies fungal chronic chronically gastroent*
        gastroin* gastropar* cesarean* caesarean* disorder disorders diagnose diagnosed diagnosis diagnoses
        had_an_operation having_an_operation after_an_operation need_an_operation my_operation his_operation
        her_operation my_gp the_gp a_gp a_lump dermatol* dermatit* gluten seizure seizures lithium treatment
        treatments my_scan the_scan brain_scan benign malignant cancer_survivor a_survivor wig throat pollen nut_free
        peanut* my_tablets s_tablets the_tablets of_tablets hurt_myself hurts_herself hurts_himself hurting_myself
        cut_myself cutting_myself on_the_spectrum dark_thoughts intrusive_thought* flashbacks nightmares lost_the_baby
        lost_a_baby lost_our_baby weeks_along months_along expecting_in we_re_expecting baby_is_due i_m_due is_due_in
        due_date can_t_have_children can_t_have_kids cannot_have_children conceive conceiving inject_myself
        injects_herself injects_himself my_injection* joints itch* apnoea apnea my_period* her_period* s_period
        my_hands_shake hands_shake shaky_hands lung lungs faint faints fainted fainting ventilator on_oxygen sectioned
        wheez* airways out_of_breath short_of_breath breathless* stitches stomach stomachs digest digestion swells
        sore numb veins blood check_up check_ups checkup checkups lose_weight lost_weight losing_weight my_weight
        weighs_herself weighs_himself weigh_myself count_carbs carb_count* count_calories calorie_counting
        screen_reader* blue_badge eyesight my_vision partially_sighted walking_stick walk_with_a_stick
        walks_with_a_stick walk_with_a_cane cane sleep_badly sleeps_badly bad_sleeper trouble_sleeping can_t_sleep
        cannot_sleep hardly_sleep* haven_t_slept sleep_problem* days_clean stay_clean staying_clean get_clean
        got_clean without_a_drink booze boozing drunk drunks drinks_too_much drink_too_much slot_machine* gambl*
        gave_up_weed smoke_weed smokes_weed smoked_weed cigarette* packs_a_day pack_a_day tested_positive stomach_bug
        low_iron my_liver s_liver ligament* tendon* meniscus collarbone* cartilage spine spinal vertebra* bad_knee*
        bad_back bad_shoulder bad_hip bad_hips my_knee my_knees s_knee s_knees knees_hurt hurt_my hurts_my back_hurts
        back_is_bad back_is_killing my_back_is knee_is my_wrists rsi kneel pulled_a_muscle hormone hormones hormonal
        bruises bruise bleed bleeds bleeding scar scars dislocat* heat_stroke heatstroke food_poisoning poisoned
        overdosing vitamin vitamins supplements probiotic* specialist nurse_said care_worker in_care assisted_living
        birth_defect* genetic_* hereditary donor organ_donor donated_a_kidney blind_since deaf_since sight_loss
        losing_my_sight lost_my_sight losing_my_hearing lost_my_hearing lost_my_voice mute non_verbal nonverbal
        mobility_* immobile fatigue exhausted_all dark_place suicidal kill_myself kill_herself kill_himself
        end_my_life took_his_life took_her_life took_his_own_life took_her_own_life grief grieving bereave*
        stressed_out stress_leave sick_leave medical_leave off_sick panic panicked phobia* phobic claustrophob*
        agoraphob* paranoi* delusion* hallucinat* voices_in_my_head manic mania meltdown* sensory_overload
        overstimulat* hypersensitiv* hypochondri* doctor_insists doctor_wants doctors_say doctors_said doctors_orders
        doctor_s_orders my_doctors dr_said gut_problem* my_gut bladder urine urinary kidney kidneys liver pancrea*
        lymph* spleen intestin* colon rectal rectum cyst cysts polyp polyps nodule* fibroid* mole_removed
        skin_condition sunburn* wart warts athlete_s_foot bunion* flat_feet ingrown hair_loss alopecia balding
        vision_loss double_vision eye_surgery eye_drops lazy_eye one_eye left_eye right_eye laser_eye
        prescription_glasses
    """,
    "politics": """
        politic* democrat democrats republican republicans tory tories conservatives conservative_party
        conservative_voter a_conservative am_conservative m_conservative socially_conservative fiscally_conservative
        labour_party labor_party labour_voter labour_member labour_mp lib_dem lib_dems liberal_democrat* liberals
        a_liberal green_party the_greens greens_member snp ukip reform_uk afd cdu csu spd fdp die_linke bjp
        indian_congress likud gop maga ndp bloc_quebecois podemos psoe vox_voter lega fratelli_d_italia
        rassemblement_national national_rally front_national kuomintang dpp leftist* left_wing* leftwing right_wing*
        rightwing far_right far_left centrist* centre_left centre_right center_left center_right the_left socialis*
        social_democrat* communis* marxis* leninis* maois* trotsky* anarchis* fascis* antifascis* antifa nazi*
        libertarian* nationalis* populis* progressives feminis* zionis* monarchis* abolitionis* ideolog* vote votes
        voted voter voters voting ballot* polling_station polling_place polling_day election* electoral electorate
        referend* brexit* remainer* canvass* campaigned_for campaigning_for campaign_for door_knocking doorknocking
        knock_on_doors knocked_on_doors phone_bank* phonebank* parliament* senate senator* congressman congresswoman
        member_of_congress my_congress* councillor* councilor* city_council town_council local_council my_mp local_mp
        ran_for_mayor running_for_mayor ran_for_office run_for_office running_for_office mayoral prime_minister
        president_trump president_biden trump trumpist biden obama putin kamala bernie_sanders macron merkel scholz
        modi netanyahu xi_jinping erdogan corbyn starmer farage le_pen meloni bolsonaro lula zelensky activis* protest
        protests protested protesting protester* protestor* rally_for rally_against march_for marched_for
        marched_against march_against petition* boycott* on_strike went_on_strike strike_action general_strike picket*
        trade_union* trades_union* labour_union* labor_union* union_member* union_rep* union_organi* union_dues
        union_steward union_vote union_card unioni* shop_steward our_union my_union the_union a_union works_council
        collective_bargain* industrial_action ig_metall gmb gun_control gun_rights second_amendment pro_choice
        pro_life abortion_rights abortion_law* death_penalty capital_punishment immigration_policy open_borders
        refugee_rights climate_activis* climate_strike extinction_rebellion just_stop_oil fridays_for_future
        black_lives_matter blm civil_rights civil_disobedience tax_the_rich wealth_tax universal_basic_income
        welfare_state party_member* party_conference party_leader joined_the_party party_line propaganda dictator*
        coup geopolit* tankie capitalism capitalist* the_polls opinion_polls candidate_for the_candidate presidential*
        candidacy running_for_council running_for_the_council leaflet_for leafleting lean_left lean_right leans_left
        leans_right left_winger right_winger the_state_should government* our_president the_president president_is
        mayor mayor_s minister ministers ministry_of cabinet_minister lobby_against lobby_for lobbyist* lobbying junta
        the_regime regime_change the_resistance rebel_flag open_border* borders_open borders_should immigration
        migrants refugee refugees asylum* taxes_are guns gun_owner gun_laws republic woke_people woke_crowd too_woke
        the_woke surveillance_law arrested_at teargas tear_gas sit_ins blockad* blocked_the_motorway blocked_the_road
        climate_justice climate_movement climate_protest* climate_camp nuclear_power anti_nuclear took_a_knee
        took_the_knee take_the_knee independence_movement for_independence scottish_independence catalan_independence
        the_eu european_union_membership lockdowns tyranny this_war war_in against_the_war anti_war pacifis*
        conscientious_objector draft_dodger conscription coalition card_carrying labour_household blue_state red_state
        swing_state conspirac* deep_state wrote_against opposition constituenc* constituents her_campaign his_campaign
        election_campaign presidential_campaign union unions walked_out_on bargaining blacklisted dissident*
        political_prisoner* exile exiled in_exile oppress* patriarch* patriot* racist racists racism white_supremac*
        antisemit* islamophob* xenophob* colonialis* decoloni* apartheid genocide palestin* gaza israel ukraine_war
        war_crime* sanctions welfare_cuts austerity public_ownership nationalisation nationalised privatisation
        privatise* minimum_wage rent_control nimby yimby tax_cuts taxation_is redistribut* egalitarian* reparations
        affirmative_action dei town_hall_meeting legislature legislat* lawmaker* policy_maker* policymaker* partisan
        bipartisan nonpartisan caucus primaries gerrymander* filibuster supreme_court manifesto
    """,
    "religion": """
        god goddess* relig* faith my_faith spiritual* church churches churchgo* chapel mosque* synagogue* gurdwara*
        mandir shrine* parish* diocese* pray prays prayed praying prayer* bible* biblical quran* koran* qur torah
        talmud gospel* scripture* psalm* hymn* sutra* vedas vedic bhagavad christian christians christianity catholic*
        protestant* evangelical* baptist* methodis* lutheran* anglican* episcopal* presbyterian* pentecost* mormon*
        lds latter_day jehovah* quaker* adventist* calvinis* amish mennonit* jesuit* jew jews jewish* judaism hasid*
        muslim* moslem* islam* sunni* shiite* sufi* ismaili* ahmadi* alevi* hindu* sikh* jain jainism buddhis* dharma
        taois* daois* shinto* baha zoroast* parsi wicca* pagan* druze yazidi* scientolog* atheis* agnosticism
        an_agnostic am_agnostic m_agnostic is_agnostic non_believer* nonbeliever* unbeliever* born_again baptis*
        baptiz* christen christened christening communion eucharist* sacrament* go_to_confession went_to_confession
        rosary for_lent during_lent in_lent observe_lent ash_wednesday good_friday holy_week palm_sunday easter_vigil
        easter_service easter_mass midnight_mass sunday_mass morning_mass to_mass attend_mass attends_mass say_mass
        sunday_service sunday_school ramadan* ramzan eid iftar* suhoor sehri hajj haji umrah zakat jummah halal haram
        kosher* kashrut shabbat* shabbos sabbath* passover pesach seder* hanukk* chanuk* yom_kippur rosh_hashan* purim
        sukkot shavuot bar_mitzvah* bat_mitzvah* mitzvah* minyan tefillin rabbi rabbis rabbinic* rabbinate imam*
        mullah* ayatollah*
        sheikh_s_sermon priest* pastor pastors pastoral vicar* reverend deacon* clergy* bishop_of archbishop*
        cardinal_s pope papal vatican nun nuns monk monks convent monaster* theolog* hijab* niqab* burqa* headscarf
        headscarves turban kippah yarmulke diwali deepavali navratri durga_puja puja pooja ganesh* vaisakhi vesak
        janmashtami karva_chauth pilgrim* worship* congregation* sermon* missionar* tithe* tithing bible_study
        say_grace saying_grace reincarnat* jesus christ allah muhammad inshallah mashallah krishna shiva vishnu buddha
        dalai_lama the_lord blasphem* heres* apostat* cult excommunicat* confirmation_class confirmation_classes
        afterlife rapture exorcis* ashram vipassana seminary seminarian* shia shias bahai* baha_i orthodox orthodoxy
        holi jains evening_mass mass_at the_mass holy sacred altar* zazen took_refuge devout* pious sect sects
        godfather_to godmother_to godparent* godchild* goddaughter godson lived_before past_life past_lives ganges
        blessing blessings blessed bless believer believers believe_in_heaven higher_power heaven sin sins sinful
        sinner* guardian_angel* lapsed observant beth_din fast_from_dawn dawn_till_sunset dawn_to_sunset
        breaking_the_fast break_the_fast breaks_the_fast fasting fasts we_fast fast_on fast_during hafiz
        dress_modestly cover_my_hair covers_her_hair cover_my_head two_sets_of_dishes no_pork eat_pork coven
        witchcraft ritual rituals santeria voodoo candomble bahá* humanist humanis* stopped_believing_in
        lost_my_belief my_belief my_beliefs our_beliefs the_witnesses chaplain* guru gurus swami* karma
        ancestor_worship mantra* chanting rebirth enlightenment nirvana meditation_retreat silent_retreat dharma_talk
        tibetan_teacher nowruz ashura muharram mawlid laylat friday_prayer* call_to_prayer minaret prophet prophets
        commandment* covenant salvation saved_by redeemer saviour savior holy_spirit holy_ghost trinity virgin_mary
        our_lady saint_s_day patron_saint baptism_of first_communion godless heathen secularis* creationis* theis*
        deist* deism preach* evangelis* evangeliz* proselyt* crucifix* wearing_a_cross wears_a_cross religious_school
        catholic_school ordained ordination vows_of novice_at abbey abbot
    """,
    "sex": """
        gay gays lesbian* homosexual* bisexual* asexual* pansexual* heterosexual* demisexual* aromantic queer* lgbt*
        am_bi m_bi is_bi as_bi bi_man bi_woman bi_guy bi_girl bicurious same_sex_couple same_sex_partner
        same_sex_marriage same_sex_relationship same_sex_attract* transgender* transsexual* trans_man trans_woman
        trans_men trans_women trans_guy trans_girl trans_person trans_people trans_kid trans_son trans_daughter
        am_trans m_trans is_trans as_trans being_trans transmasc* transfem* came_out_to came_out_as coming_out_to
        come_out_to coming_out_as closeted in_the_closet_about nonbinary non_binary enby genderqueer genderfluid
        agender gender_identity gender_dysphoria gender_affirming gender_transition* gender_reassign* top_surgery
        bottom_surgery my_transition social_transition transitioning detransition* my_pronouns her_pronouns
        his_pronouns their_pronouns they_them drag_queen* pride_parade pride_march pride_month intersex sex sexual*
        sexualit* sexy sexting libido sex_drive erectile impoten* viagra cialis sildenafil tadalafil premature_ejac*
        ejaculat* orgasm* porn* masturbat* fetish* kinky bdsm dominatrix polyamor* polycule open_relationship
        open_marriage swinger* threesome* one_night_stand* hookup hookups hooking_up tinder grindr bumble_date*
        bumble_profile hinge_date* hinge_profile okcupid scruff feeld dating_app* dating_site* dating_profile condom*
        contracept* birth_control the_pill morning_after_pill my_iud an_iud hormonal_coil copper_coil hiv on_prep std
        stds sti stis herpes chlamydia gonorrh* syphilis hpv genital* vagin* penis penile vulva* prostitut*
        escort_service* sex_work* brothel* nudes had_an_affair having_an_affair an_affair_with cheated_on cheating_on
        virginity a_virgin celiba* abstinence intimacy sleeping_with_him sleeping_with_her slept_with making_love
        vasectom* turn_ons turns_me_on erotic* hentai onlyfans both_women both_men both_girls both_guys two_dads
        two_mums two_moms two_mothers two_fathers two_dad two_mum two_mom men_and_women into_guys into_girls into_men
        into_women likes_girls likes_boys likes_men likes_women like_girls like_men like_women in_the_closet
        attracted_to married_to_a_man his_husband her_wife get_tested got_tested getting_tested the_snip rhythm_method
        period_is period_late missed_period sleep_with sleeps_with sleeping_with slept_together without_clothes naked
        nude one_night_things something_casual casual_relationship* third_date swiping_on swipe_on my_match
        touched_each_other touch_each_other fling affair affairs cheat_on cheats_on get_it_up sex_toy* saving_myself
        until_marriage till_marriage before_marriage strips_for stripper* strip_club* used_to_be_a_woman
        used_to_be_a_man was_born_a_boy was_born_a_girl born_male born_female assigned_male assigned_female old_name
        dead_name deadnam* my_deadname pronouns started_hormones on_hormones gender right_gender he_is_a_girl
        she_is_a_boy a_man_or_a_woman neither_a_man male_or_female binding_my_chest chest_binder lust lustful horny
        aroused arousal foreplay bedroom_life safe_sex unprotected rape raped sexual_assault molest* incest* harass*
        sugar_daddy camgirl gaydar butch femme twink drag_show gay_bar gay_club homophob* transphob* biphob*
        civil_partnership ladyboy crossdress* cross_dress* intimate intimately condomless plan_b_pill
        emergency_contracept*
    """,
}

HARMLESS = (
    r"(?:tax(?: return)?s?|rent|bill|invoice|report|essay|homework|payment|project|assignment|paper|book|thesis|loan)s?"
    r" (?:(?:is|are|was) due in|due date)",
    r"due date (?:of|for|on) (?:the |my |an? )?(?:tax|rent|bill|invoice|report|essay|homework|payment|project|task"
    r"|thesis|loan)",
    r"(?:church|parish) (?:hall|tower|bells?|square|street|rent|roof)",
    r"hospital (?:kitchen|radio|canteen|car park|payroll|laundry)",
    r"(?:behind|beside|next to|opposite|near|past) the (?:old )?(?:church|mosque|synagogue|chapel|hospital|pharmacy)"
    r"(?= (?:and|on the (?:left|right|corner|hill))|[.,;!?]|$)",
    r"(?:converted|former|disused) (?:church|chapel|monastery|abbey|convent|synagogue|mosque)",
    r"blue mosque|parliament building",
    r"(?:i'm|am|is|was|as|become|retired|trained) (?:an? )?(?:retired |trained |former )?(?:midwife|surgeon"
    r"|dentist|psychologist|psychiatrist"
    r"|physiotherapist|pharmacist|chiropractor)",
    r"medical (?:school|student|drama|leaflet|translator|illustrator)s?|dental (?:technician|practice|school)",
    r"ambulance driver|drives? an ambulance",
    r"sick (?:and tired )?of",
    r"sick (?:beat|trick|burn|riff|guitar)s?",
    r"health[ -]?checks?",
    r"pain[ -]?points?",
    r"pain in the (?:neck|ass|arse|butt|backside)",
    r"(?:is|are|was|were|it's|such|what) (?:such )?(?:a|an) (?:\w+ )?pain(?= to|[.,;!?]|$)",
    r"pain(?:ful)? to (?:use|read|debug|set up|watch|maintain|configure|install|deploy)",
    r"no pain,? no gain",
    r"religiously",
    r"sex of the (?!person|people|man|men|woman|women)",
    r"sex ratio|sex and the city",
    r"political (?:thriller|drama|satire|novel|series)s?",
    r"office politics",
    r"retail therapy",
    r"(?:the )?great depression",
    r"(?:in )?(?:good|bad) faith|leap of faith",
    r"oh my god|thank god|god knows|for god'?s sake|god of war|god mode|greek gods?",
    r"(?:up|down)votes?",
    r"stroke (?:width|order|colou?r|style)|(?:brush|breast|back|pen|key)[ -]?strokes?|stroke of (?:luck|genius)",
    r"bleeding[ -]edge",
    r"lithium[ -](?:ion|polymer|battery)",
    r"trump cards?",
    r"gospel music|gospel choir",
    r"buddha bowls?",
    r"unorthodox",
    r"(?:framework|platform|language|database|vendor|cloud|device)[ -]agnostic",
    r"christian (?:bale|dior|slater|louboutin)|erik christian|hans christian",
    r"the doctor who|doctor who",
    r"addict(?:ed|ive) (?:to )?(?:this|that|the) (?:game|show|series|song|podcast|book)s?",
    r"prescriptive",
    r"prayer plants?",
    r"on steroids",
    r"chronically (?:late|online)",
    r"ill[ -](?:advised|fitting|defined|timed|formed|conceived)",
    r"lord of the (?:rings|flies)",
    r"(?:european|credit|student|students|western) union|unions? (?:types?|all|square|jack|of (?:two|the|all) sets?)",
    r"a (?:firm|big|great|strong) believer in",
    r"intermittent fasting",
    r"(?:clothes|shoes|coats|jackets|boxes) in the closet",
    r"grammatical gender|gender of the (?:noun|word)",
    r"blood orange|bloody",
    r"sore (?:point|loser)s?",
    r"spine of (?:the|a) book|book spines?",
    r"cult (?:classic|film|movie|series)s?",
    r"pill (?:shape|button|badge|tab|bug)s?|pill-shaped",
    r"parkinson'?s law",
)
"""Regular expressions over the lower-cased text."""
