/* block_address.h -- addresses in the one form in which they are compared.
 *
 * "HTTP://user@www.Example.COM:80/A/b?c#d" is "example.com/a/b?c": lower case, without scheme,
 * user, www., port, fragment and what stands at the end of a host or a path for nothing. */
#ifndef WINNOW_BLOCKLIST_BLOCK_ADDRESS_H
#define WINNOW_BLOCKLIST_BLOCK_ADDRESS_H

#include "base/buf.h"

#define BLOCK_ADDRESS_MAX 4096U /* bytes; longer ones are cut */

struct block_address {
    char text[BLOCK_ADDRESS_MAX];
    size_t len, host; /* text[0 .. host) is the host, text[host] a '/', '?' or the end */
    bool numeric;     /* the host is an IPv4 address */
};

/* False where the text has no host that could be one: two labels of letters, digits, '-',
 * '_' and bytes past ASCII. */
bool block_address_read(struct str text, struct block_address *out);

/* One line of a list as an address: plain ("example.com", "http://example.com/path"), of a hosts
 * file ("0.0.0.0 example.com"), or "||example.com^" and "*.example.com" of advertisement
 * blockers.  BLOCK_NOTHING is a blank line or a comment. */
enum block_line { BLOCK_NOTHING, BLOCK_ENTRY, BLOCK_WRONG };
enum block_line block_line_read(struct str line, struct block_address *out);

#endif /* WINNOW_BLOCKLIST_BLOCK_ADDRESS_H */
