/* synth_prompts_builtin.c -- the prompts that are used where no others are named.
 *
 * recipes/synthesize-prompts.jsonl holds the same lines, to be changed; a test compares the two.
 * Audiences and styles are HARE's idea; the words are ours. */
#include "synth/synth_prompts.h"

const char *const SYNTH_PROMPTS[] = {
    "{\"name\": \"school\", \"kind\": \"text\", \"prompt\": \"Read the text below. Then write "
    "a short lesson about its subject for pupils of ten to twelve years: short sentences, "
    "everyday words, one example from daily life. Explain every term that they may not know. "
    "Do not copy sentences, and do not mention the text itself.\\n\\n{text}\"}",
    "{\"name\": \"college\", \"kind\": \"text\", \"prompt\": \"Read the text below. Then write "
    "a section of a textbook for first-year students on its subject: define the terms, say how "
    "things depend on each other, and end with two sentences on why it matters. Use your own "
    "words throughout, and do not mention the text itself.\\n\\n{text}\"}",
    "{\"name\": \"reference\", \"kind\": \"text\", \"prompt\": \"Read the text below. Then "
    "write an entry of an encyclopedia on its main subject, neutral and precise, with a "
    "definition in the first sentence and the facts in a sensible order. Use your own words, "
    "add nothing that you are not sure of, and do not mention the text itself.\\n\\n{text}\"}",
    "{\"name\": \"blog\", \"kind\": \"text\", \"prompt\": \"Read the text below. Then write an "
    "article for curious adults on the same subject: begin with a question or a scene, explain "
    "in plain words, and keep to what is true. Use your own words, and do not mention the text "
    "itself.\\n\\n{text}\"}",
    "{\"name\": \"story\", \"kind\": \"text\", \"prompt\": \"Read the text below. Then write a "
    "short story in which somebody needs to know what it says and finds it out step by step; "
    "the facts must be right and easy to follow. Do not copy sentences, and do not mention the "
    "text itself.\\n\\n{text}\"}",
    "{\"name\": \"dialogue\", \"kind\": \"text\", \"prompt\": \"Read the text below. Then "
    "write a conversation in which a beginner asks an expert about its subject. Give each "
    "speaker's turn a line of its own that starts with \\\"Beginner:\\\" or \\\"Expert:\\\". "
    "The expert explains one thing at a time. Use your own words, and do not mention the text "
    "itself.\\n\\n{text}\"}",
    "{\"name\": \"howto\", \"kind\": \"text\", \"prompt\": \"Read the text below. Then write "
    "numbered instructions that a careful person could follow, for something that its subject "
    "lets one do, make, find out or understand. Say with each step why it is taken. Use your "
    "own words, and do not mention the text itself.\\n\\n{text}\"}",
    "{\"name\": \"notes\", \"kind\": \"text\", \"prompt\": \"Read the text below. Then write "
    "the notes of a good student on it: the main point in one sentence, then the facts that "
    "follow from it as short paragraphs, each with its reason. Use your own words, and do not "
    "mention the text itself.\\n\\n{text}\"}",
    "{\"name\": \"question\", \"kind\": \"question\", \"prompt\": \"Write one question that "
    "the text below answers, and its answer in one or two sentences. Somebody who has not seen "
    "the text must be able to understand the question. Write exactly two lines, the first "
    "beginning with \\\"Question:\\\", the second with \\\"Answer:\\\", and nothing "
    "else.\\n\\n{text}\"}",
    "{\"name\": \"choice\", \"kind\": \"choice\", \"prompt\": \"Write one multiple-choice "
    "question about a fact in the text below. Somebody who has not seen the text must be able "
    "to understand it. Write the line \\\"Question: ...\\\", then four lines \\\"A. ...\\\" to "
    "\\\"D. ...\\\", of which exactly one is right and the others are plausible, then the line "
    "\\\"Answer: \\\" with the letter of the right one, and nothing else.\\n\\n{text}\"}",
    "{\"name\": \"cloze\", \"kind\": \"cloze\", \"prompt\": \"Take one fact from the text "
    "below, say it in one sentence of your own, and replace the word that matters most by "
    "____. There must be only one word that fits. Write that sentence on one line, then the "
    "line \\\"Answer: \\\" with the missing word, and nothing else.\\n\\n{text}\"}",
    "{\"name\": \"summary\", \"kind\": \"summary\", \"prompt\": \"Sum up the text below in one "
    "or two sentences of your own. Write one line that begins with \\\"Summary:\\\", and "
    "nothing else.\\n\\n{text}\"}",
    NULL,
};
