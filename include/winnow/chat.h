/* chat.h -- how documents that are conversations, or prompts with responses, become texts. */
#ifndef WINNOW_CHAT_H
#define WINNOW_CHAT_H

#ifdef __cplusplus
extern "C" {
#endif

/* Of a document without a text but with messages, or a prompt and its response
 * (docs/formats/corpus.md). */
enum winnow_chat {
    WINNOW_CHAT_PLAIN, /* what is said, with a line's end between */
    WINNOW_CHAT_CHATML /* <|im_start|>ROLE, a line's end, what is said, <|im_end|>, a line's end */
};

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_CHAT_H */
