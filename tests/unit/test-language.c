#include "retrieval/retrieval.h"
#include "retrieval/text/stopwords.h"

#include <string.h>

/* One ordinary sentence or two per language; what a short document has at least. */
static const struct {
  const char *language, *text;
} samples[] = {
  { "en", "Press and hold the power button for three seconds. The lamp turns green when the device is ready." },
  { "de", "Halten Sie die Taste drei Sekunden lang gedrückt. Die Lampe leuchtet grün, wenn das Gerät bereit ist." },
  { "fr", "Appuyez sur le bouton pendant trois secondes. Le voyant devient vert lorsque l'appareil est prêt." },
  { "es", "Mantenga pulsado el botón durante tres segundos. La luz se vuelve verde cuando el aparato está listo." },
  { "it", "Tenere premuto il pulsante per tre secondi. La spia diventa verde quando l'apparecchio è pronto." },
  { "pt", "Mantenha o botão pressionado durante três segundos. A luz fica verde quando o aparelho está pronto." },
  { "nl", "Houd de knop drie seconden ingedrukt. Het lampje wordt groen wanneer het apparaat klaar is voor gebruik." },
  { "sv", "Håll knappen intryckt i tre sekunder. Lampan lyser grönt när apparaten är klar att användas." },
  { "da", "Hold knappen nede i tre sekunder. Lampen lyser grønt, når apparatet er klar til at blive brugt af dig." },
  { "no", "Hold knappen inne i tre sekunder. Lampen lyser grønt når apparatet er klart til å brukes av deg." },
  { "fi", "Pidä painiketta painettuna kolmen sekunnin ajan. Valo palaa vihreänä, kun laite on valmis käytettäväksi." },
  { "pl", "Przytrzymaj przycisk przez trzy sekundy. Lampka zaświeci się na zielono, gdy urządzenie będzie gotowe." },
  { "cs", "Podržte tlačítko po dobu tří sekund. Kontrolka se rozsvítí zeleně, když je přístroj připraven k použití." },
  { "ro", "Țineți apăsat butonul timp de trei secunde. Lampa devine verde când aparatul este gata de utilizare." },
  { "hu",
    "Tartsa lenyomva a gombot három másodpercig. A lámpa zölden világít, ha a készülék üzemkész, és nem villog." },
  { "tr",
    "Düğmeyi üç saniye boyunca basılı tutun. Cihaz hazır olduğunda lamba yeşil olarak yanar ve bir ses duyulur." },
  { "ru", "Удерживайте кнопку в течение трёх секунд. Лампа загорится зелёным, когда прибор будет готов к работе." },
  { "uk", "Утримуйте кнопку протягом трьох секунд. Лампа засвітиться зеленим, коли прилад буде готовий до роботи." },
  { "bg", "Задръжте бутона за три секунди. Лампата светва в зелено, когато уредът е готов за работа." },
  { "zh", "按住电源按钮三秒钟。设备准备就绪后，指示灯变为绿色。" },
  { "ja", "電源ボタンを3秒間押し続けます。準備が完了するとランプが緑色に変わります。" },
  { "ko", "전원 버튼을 3초 동안 누르고 계십시오. 준비가 되면 램프가 녹색으로 바뀝니다." },
  { "ar", "اضغط مع الاستمرار على الزر لمدة ثلاث ثوان. يتحول المصباح إلى اللون الأخضر عندما يصبح الجهاز جاهزا." },
  { "fa", "دکمه را به مدت سه ثانیه نگه دارید. هنگامی که دستگاه آماده است چراغ سبز "
          "می‌شود." },
  { "he", "לחץ והחזק את הכפתור במשך שלוש שניות. הנורה הופכת לירוקה כאשר המכשיר מוכן." },
  { "el", "Κρατήστε πατημένο το κουμπί για τρία δευτερόλεπτα. Η λυχνία γίνεται πράσινη." },
  { "th", "กดปุ่มเปิดเครื่องค้างไว้สามวินาที ไฟจะเปลี่ยนเป็นสีเขียวเมื่อเครื่องพร้อมใช้งาน" },
  { "hi", "बटन को तीन सेकंड तक दबाकर रखें। उपकरण तैयार होने पर बत्ती हरी हो जाती है।" },
};

static void test_samples (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++)
    g_assert_cmpstr (lectern_language_detect (samples[i].text, -1), ==, samples[i].language);
}

static void test_questions (void)
{
  g_assert_cmpstr (lectern_language_detect ("How do I reset the clock?", -1), ==, "en");
  g_assert_cmpstr (lectern_language_detect ("Wie stelle ich die Uhr ein?", -1), ==, "de");
  g_assert_cmpstr (lectern_language_detect ("Comment est-ce que je règle l'horloge de l'appareil ?", -1), ==, "fr");
  g_assert_cmpstr (lectern_language_detect ("¿Cómo se ajusta el reloj?", -1), ==, "es");
  g_assert_cmpstr (lectern_language_detect ("Как настроить часы на этом приборе?", -1), ==, "ru");
  g_assert_cmpstr (lectern_language_detect ("時計の設定方法は？", -1), ==, "ja");
}

static void test_unclear (void)
{
  static const char *const unclear[]
      = { "", " ", "42", "a", "WLAN 5 GHz", "x = y + 3; z = f(x)", "10.5 | 3.2 | 8", "\xff\xfe\xfd" };
  for (gsize i = 0; i < G_N_ELEMENTS (unclear); i++)
    g_assert_null (lectern_language_detect (unclear[i], -1));
  g_assert_null (lectern_language_detect ("The lamp is on the table.", 3));
}

/* A long text is sampled: the time does not grow with it. */
static void test_bounded (void)
{
  GString *text = g_string_new (NULL);
  while (text->len < 8 << 20)
    g_string_append (text, samples[1].text);
  gint64 start = g_get_monotonic_time ();
  g_assert_cmpstr (lectern_language_detect (text->str, (gssize)text->len), ==, "de");
  g_assert_cmpint (g_get_monotonic_time () - start, <, 500000);
  g_string_free (text, TRUE);
}

static void test_stopwords (void)
{
  static const char *const languages[] = { "en", "de", "fr", "es", "it", "pt", "nl", "sv", "ru", "tr" };
  for (gsize i = 0; i < G_N_ELEMENTS (languages); i++) {
    g_assert_true (lectern_stopwords_has_language (languages[i]));
    g_auto (GStrv) words = g_strsplit (lectern_stopwords_get (languages[i]), " ", -1);
    g_assert_cmpuint (g_strv_length (words), >, 80);
    for (char **w = words; *w; w++) {
      g_assert_cmpstr (*w, !=, "");
      g_assert_true (lectern_stopword (languages[i], *w));
    }
  }
  g_assert_true (lectern_stopword ("de", "für"));
  g_assert_true (lectern_stopword ("de", "fur"));
  g_assert_false (lectern_stopword ("de", "gerät"));
  g_assert_false (lectern_stopword ("en", "für"));
  g_assert_false (lectern_stopword ("xx", "the"));
  g_assert_false (lectern_stopword (NULL, "the"));
}

static void test_tokens (void)
{
  g_assert_cmpuint (lectern_count_tokens ("", -1), ==, 0);
  g_assert_cmpuint (lectern_count_tokens ("   ", -1), ==, 0);
  g_assert_cmpuint (lectern_count_tokens ("word", -1), ==, 1);
  guint sentence = lectern_count_tokens (samples[0].text, -1);
  g_assert_cmpuint (sentence, >=, 19);
  g_assert_cmpuint (sentence, <=, 24);
  guint chinese = lectern_count_tokens ("按住电源按钮三秒钟", -1);
  g_assert_cmpuint (chinese, >=, 5);
  g_assert_cmpuint (chinese, <=, 9);
  g_assert_cmpuint (lectern_count_tokens ("\xff\xfe", -1), >, 0);
  g_assert_cmpuint (lectern_count_tokens ("word word word", 4), ==, 1);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/language/samples", test_samples);
  g_test_add_func ("/language/questions", test_questions);
  g_test_add_func ("/language/unclear", test_unclear);
  g_test_add_func ("/language/bounded", test_bounded);
  g_test_add_func ("/language/stopwords", test_stopwords);
  g_test_add_func ("/language/tokens", test_tokens);
  return g_test_run ();
}
