#include "retrieval/text/stopwords.h"

#include <string.h>

/* Articles, pronouns, prepositions, conjunctions, auxiliaries, question words and the pieces that contractions fall into.
 * Negations stay in (they never help to find a passage). Ordered by kind, not by alphabet. */
static const struct {
  char language[4];
  const char *words;
} tables[] = {
  { "en", "a an the this that these those i me my mine myself we us our ours ourselves you your yours yourself "
          "yourselves he him his "
          "himself she her hers herself it its itself they them their theirs themselves one who whom whose which what "
          "when where why "
          "how whether is am are was were be been being do does did doing done have has had having can could will "
          "would shall should "
          "may might must ought and or but nor so yet if then than because as while until although though unless since "
          "of at by for "
          "with about against between into through during before after above below to from up down in out on off over "
          "under again "
          "further once here there all any both each few more most other some such no not only own same too very just "
          "also upon per "
          "via within without among toward towards across along onto whatever whichever whoever however ever s t d ll "
          "m re ve don "
          "doesn didn isn aren wasn weren hasn haven hadn won wouldn shouldn couldn mustn don't doesn't didn't isn't "
          "aren't wasn't "
          "weren't hasn't haven't hadn't won't wouldn't shouldn't couldn't can't cannot it's i'm you're we're they're "
          "that's what's "
          "there's let's i've you've we've they've i'd you'd he'd she'd i'll you'll he'll she'll we'll they'll" },
  { "de", "der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner keines dieser "
          "diese dieses diesen "
          "diesem jener jene jenes jenen jenem jeder jede jedes jeden jedem ich mich mir du dich dir er ihn ihm sie "
          "ihr ihnen es wir "
          "uns ihre ihren ihrem ihrer ihres sein seine seinen seinem seiner seines mein meine meinen meinem meiner "
          "meines dein deine "
          "deinen deinem deiner deines unser unsere unseren unserem unserer unseres euer eure euren eurem eurer euch "
          "sich man wer wen "
          "wem wessen was welche welcher welches welchen welchem wann wo wohin woher warum wieso weshalb wie womit "
          "wofür wodurch "
          "worauf woran worin wozu ob bin bist ist sind seid war warst waren wart gewesen wäre wären habe hast hat "
          "haben habt hatte "
          "hatten hätte hätten werde wirst wird werden werdet wurde wurden würde würden worden kann kannst können "
          "könnt konnte "
          "konnten könnte könnten muss muß müssen musste mussten müsste soll sollen sollte sollten darf dürfen durfte "
          "will wollen "
          "wollte mag mögen möchte möchten und oder aber sondern denn doch wenn als dass daß weil während bis bevor "
          "nachdem obwohl "
          "damit sowie sowohl weder noch in im ins an am ans auf aus bei beim mit nach seit von vom zu zum zur durch "
          "für gegen ohne "
          "um über unter vor hinter neben zwischen wegen trotz ab je pro nicht nur auch schon sehr so hier da dort "
          "dann nun jetzt "
          "wieder immer etwa etwas nichts alle aller alles allen allem andere anderen anderer anderes mehr viel viele "
          "einige einiger "
          "einigen solche solcher solches solchen mal selbst sonst dabei dazu daran darauf daraus darin darum davon "
          "davor hin her" },
  { "fr",
    "le la les l un une des du de d au aux ce cet cette ces c ça cela ceci je j me m moi mon ma mes tu te t toi ton ta "
    "tes il "
    "elle on lui leur leurs ils elles eux se s soi son sa ses nous notre nos vous votre vos y en qui que qu quoi dont "
    "où quel "
    "quelle quels quelles lequel laquelle lesquels lesquelles quand comment pourquoi combien est-ce suis es est sommes "
    "êtes "
    "sont étais était étions étiez étaient été étant être sera seront serait seraient soit soient fut furent ai as a "
    "avons avez "
    "ont avais avait avions avaient eu ayant avoir aura auront aurait auraient ait aient peut peuvent peux pouvez "
    "pouvoir "
    "pourrait doit doivent devoir devez fait faire font faut et ou mais donc or ni car si comme lorsque puisque "
    "quoique dans par pour "
    "sur sous avec sans chez vers entre jusque depuis pendant avant après contre selon dès hors à ne n pas plus moins "
    "très trop "
    "peu même mêmes aussi ainsi alors encore toujours jamais déjà ici là tout toute tous toutes autre autres chaque "
    "quelque "
    "quelques certains certaines aucun aucune tel telle tels telles celui celle ceux celles rien être-il a-t-il" },
  { "es",
    "el la los las lo un una unos unas al del de este esta estos estas esto ese esa esos esas eso aquel aquella "
    "aquellos "
    "aquellas aquello yo me mí mi mis tú te ti tu tus él ella ello ellos ellas le les se sí su sus nosotros nosotras "
    "nos "
    "nuestro nuestra nuestros nuestras vosotros vosotras os vuestro vuestra usted ustedes mío suyo que qué quien quién "
    "quienes "
    "quiénes cual cuál cuales cuáles cuando cuándo donde dónde adonde adónde como cómo cuanto cuánto cuanta cuánta "
    "cuantos "
    "cuántos cuantas cuántas por porque soy eres es somos son era eras éramos eran fui fue fueron sido siendo ser será "
    "serán "
    "sería sea sean estoy está están estaba estaban estar estado he has ha hemos han había habían haber hay haya tengo "
    "tiene "
    "tienen tener puede pueden puedo poder podría debe deben y e o u pero sino ni si aunque mientras pues en a ante "
    "bajo con "
    "contra desde durante entre hacia hasta mediante para según sin sobre tras no más menos muy mucho mucha muchos "
    "muchas poco "
    "también tampoco así ya aún todavía siempre nunca aquí allí ahí todo toda todos todas otro otra otros otras cada "
    "algo "
    "alguno alguna algunos algunas algún ningún ninguna nada tal tales mismo misma mismos mismas tan tanto solo sólo" },
  { "it", "il lo la i gli le l un uno una del dello della dei degli delle dell al allo alla ai agli alle all dal dallo "
          "dalla dai "
          "dagli dalle dall nel nello nella nei negli nelle nell sul sullo sulla sui sugli sulle sull col coi di a da "
          "in con su per "
          "tra fra questo questa questi queste quest quello quella quelli quelle quel quei quegli ciò io mi me mio mia "
          "miei mie tu ti "
          "te tuo tua tuoi tue lui lei egli ella esso essa essi esse loro gli si sé suo sua suoi sue noi ci nostro "
          "nostra nostri "
          "nostre voi vi vostro vostra vostri vostre ne che chi cui cosa quale quali quando dove come perché perchè "
          "quanto quanta "
          "quanti quante sono sei è siamo siete era erano eri essere stato stata stati state sarà saranno sarebbe sia "
          "siano fu furono "
          "ho hai ha abbiamo avete hanno aveva avevano avere avuto può possono posso potere potrebbe deve devono devo "
          "dovere fare fa "
          "e ed o od ma né se anche mentre però quindi dunque poiché affinché non più meno molto molta molti molte "
          "poco già ancora "
          "sempre mai qui qua lì là così tutto tutta tutti tutte altro altra altri altre ogni qualche alcuni alcune "
          "alcuno nessuno "
          "nessuna niente tale tali stesso stessa stessi stesse solo senza contro verso dopo prima durante sotto sopra "
          "c d s v" },
  { "pt", "o a os as um uma uns umas do da dos das no na nos nas ao à aos às pelo pela pelos pelas dum duma num numa "
          "de em por para "
          "com sem sob sobre entre até desde após ante contra durante perante este esta estes estas isto esse essa "
          "esses essas isso "
          "aquele aquela aqueles aquelas aquilo deste desta destes destas desse dessa disso neste nesta nesse nessa "
          "nisso eu me mim "
          "meu minha meus minhas tu te ti teu tua teus tuas ele ela eles elas lhe lhes se si seu sua seus suas nós "
          "nosso nossa nossos "
          "nossas vós vosso vossa você vocês que quê quem qual quais quando onde aonde como porque porquê quanto "
          "quanta quantos "
          "quantas cujo cuja sou és é somos são era eram foi foram fui ser sido sendo será serão seria seja sejam "
          "estou está estão "
          "estava estavam estar estado esteja tenho tem têm tinha tinham ter tido tenha teve há haver houve havia pode "
          "podem posso "
          "poder poderia deve devem dever e ou mas nem se embora enquanto pois portanto não mais menos muito muita "
          "muitos muitas "
          "pouco também já ainda sempre nunca aqui ali lá assim tudo todo toda todos todas outro outra outros outras "
          "cada algo algum "
          "alguma alguns algumas nenhum nenhuma nada tal tais mesmo mesma mesmos mesmas tão tanto só apenas" },
  { "nl", "de het een der den des deze dit die dat ik mij me mijn jij je jou jouw u uw hij hem zijn zij ze haar hun "
          "hen wij we ons "
          "onze jullie zich zichzelf men er wie wat welke welk waar waarom wanneer hoe hoeveel waarin waarop waarmee "
          "waarvan waardoor "
          "ben bent is was waren geweest wezen word wordt worden werd werden geworden heb hebt heeft hebben had hadden "
          "gehad kan kun "
          "kunt kunnen kon konden zal zult zullen zou zouden moet moeten moest moesten mag mogen mocht wil wilt willen "
          "wilde doe doet "
          "doen deed en of maar want dus noch als dan toen omdat doordat terwijl totdat zodat indien hoewel tenzij aan "
          "af achter bij "
          "binnen boven buiten door in langs met na naar naast om onder op over per sinds te tegen tot tussen uit van "
          "vanaf via voor "
          "voorbij zonder niet geen wel ook nog al reeds slechts alleen zeer heel erg meer meest veel vele minder "
          "weinig iets niets "
          "iemand niemand alle alles ander andere anderen elk elke ieder iedere enkele sommige zulke zulk zelf zelfs "
          "zo hier daar "
          "nu altijd nooit weer eens toch ten ter daarin daarop daarmee daarvan daardoor dezelfde hetzelfde" },
  { "sv", "en ett den det de denna detta dessa dom jag mig min mitt mina du dig din ditt dina han honom hans hon henne "
          "hennes hen vi "
          "oss vår vårt våra ni er ert era dem deras sig sin sitt sina man vem vems vad vilken vilket vilka när var "
          "vart varför hur "
          "vart är var varit vara blir blev blivit bli har hade haft ha kan kunde kunnat ska skall skulle vill ville "
          "måste får fick "
          "bör borde gör gjorde göra och eller men utan för så att om än som därför medan innan sedan eftersom fast "
          "fastän samt i på "
          "av till från med vid hos över under mellan genom mot efter före bakom framför inom utom kring åt per ur "
          "inte ej icke bara "
          "också även redan ännu mycket mer mest mindre många få något någon några ingen inget inga allt alla all "
          "annan annat andra "
          "varje varje samma sådan sådant sådana själv här där nu då alltid aldrig igen upp ner ut in där när" },
  { "ru", "и в во не что он на я с со как а то все всё она так его но да ты к у же вы за бы по только ее её мне было "
          "вот от меня еще "
          "ещё нет о из ему теперь когда даже ну ли если уже или ни быть был него до вас нибудь вам ведь там потом "
          "себя ничего ей "
          "может они тут где есть надо ней для мы тебя их чем была сам чтоб чтобы без будто чего себе под будет тогда "
          "кто этот эта "
          "это эти того потому этого какой какая какое какие каков этом этой этих этим ним здесь один почти мой моя "
          "мое моё мои "
          "твой твоя твое твои тем той том тех тому нее неё сейчас были куда зачем почему откуда сколько всех никогда "
          "можно нужно при "
          "наш наша наше наши ваш ваша ваше ваши об обо другой другая другие хоть после над больше тот та те через эту "
          "нас про всего "
          "них какую каким каких много разве такой такая такое такие им более всегда конечно всю между также лишь "
          "который которая "
          "которое которые которого которой которых которым которому является являются должен должна должно должны "
          "могут мог" },
  { "tr", "ve veya ya da de ki ile için bir bu şu o bunu şunu onu buna ona bunun onun bunlar şunlar onlar bunları "
          "onları ben beni "
          "bana benim sen seni sana senin biz bizi bize bizim siz sizi size sizin onların kendi kendisi ne neden niçin "
          "niye nasıl "
          "nerede nereye nereden hangi hangisi kim kimi kimin kime kaç kadar mi mı mu mü mıdır midir mudur müdür değil "
          "var yok olan "
          "olarak olduğu olduğunu olması olmak oldu olur olup olsa ise idi imiş eder edilir edilen etmek eden ama "
          "fakat ancak lakin "
          "çünkü eğer hem her hiç gibi göre daha en çok az pek sonra önce üzere üzerinde altında içinde arasında karşı "
          "doğru beri "
          "dolayı rağmen bile diye şey tüm bütün bazı birçok birkaç başka aynı böyle şöyle öyle işte artık henüz hala "
          "yine zaten" },
};

static GHashTable *sets[G_N_ELEMENTS (tables)];

static char *strip_marks (const char *word)
{
  g_autofree char *decomposed = g_utf8_normalize (word, -1, G_NORMALIZE_ALL);
  GString *out = g_string_new (NULL);
  for (const char *p = decomposed; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (!g_unichar_ismark (c))
      g_string_append_unichar (out, c);
  }
  return g_string_free (out, FALSE);
}

static gsize build_sets (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++) {
    sets[i] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    g_auto (GStrv) words = g_strsplit (tables[i].words, " ", -1);
    for (char **w = words; *w; w++) {
      g_hash_table_add (sets[i], strip_marks (*w));
      g_hash_table_add (sets[i], g_utf8_casefold (*w, -1));
      g_hash_table_add (sets[i], g_strdup (*w));
    }
  }
  return 1;
}

static int find_language (const char *language)
{
  for (gsize i = 0; language && i < G_N_ELEMENTS (tables); i++)
    if (!strcmp (tables[i].language, language))
      return (int)i;
  return -1;
}

gboolean lectern_stopwords_has_language (const char *language)
{
  return find_language (language) >= 0;
}

const char *lectern_stopwords_get (const char *language)
{
  int i = find_language (language);
  return i < 0 ? NULL : tables[i].words;
}

gboolean lectern_stopword (const char *language, const char *folded_word)
{
  static gsize built;
  int i = find_language (language);
  if (i < 0)
    return FALSE;
  if (g_once_init_enter (&built))
    g_once_init_leave (&built, build_sets ());
  return g_hash_table_contains (sets[i], folded_word);
}
