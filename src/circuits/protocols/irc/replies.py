"""Answers with numbers, for servers, in the words of the RFCs.

reply(sock, numeric_reply(ERR_NOSUCHNICK, "ada", "bob", prefix="irc.example.org"))
──▶ :irc.example.org 401 ada bob :No such nick/channel
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import numerics
from .message import Message

if TYPE_CHECKING:
    from typing import Any

__all__ = ["TEXTS", "numeric_reply"]

#: The last parameter of the replies that always have the same.
TEXTS = {
    numerics.RPL_ENDOFSTATS: "End of STATS report",
    numerics.RPL_SERVLISTEND: "End of service listing",
    numerics.RPL_LUSEROP: "operator(s) online",
    numerics.RPL_LUSERUNKNOWN: "unknown connection(s)",
    numerics.RPL_LUSERCHANNELS: "channels formed",
    numerics.RPL_ADMINME: "Administrative info",
    numerics.RPL_TRACEEND: "End of TRACE",
    numerics.RPL_TRYAGAIN: "Please wait a while and try again.",
    numerics.RPL_UNAWAY: "You are no longer marked as being away",
    numerics.RPL_NOWAWAY: "You have been marked as being away",
    numerics.RPL_WHOISREGNICK: "has identified for this nick",
    numerics.RPL_WHOISOPERATOR: "is an IRC operator",
    numerics.RPL_ENDOFWHO: "End of WHO list",
    numerics.RPL_WHOISIDLE: "seconds idle",
    numerics.RPL_ENDOFWHOIS: "End of WHOIS list",
    numerics.RPL_LISTSTART: "Users  Name",
    numerics.RPL_LISTEND: "End of LIST",
    numerics.RPL_WHOISACCOUNT: "is logged in as",
    numerics.RPL_NOTOPIC: "No topic is set",
    numerics.RPL_ENDOFINVITELISTENTRY: "End of INVITE list",
    numerics.RPL_SUMMONING: "Summoning user to IRC",
    numerics.RPL_ENDOFINVITELIST: "End of channel invite list",
    numerics.RPL_ENDOFEXCEPTLIST: "End of channel exception list",
    numerics.RPL_ENDOFLINKS: "End of LINKS list",
    numerics.RPL_ENDOFNAMES: "End of NAMES list",
    numerics.RPL_ENDOFBANLIST: "End of channel ban list",
    numerics.RPL_ENDOFWHOWAS: "End of WHOWAS",
    numerics.RPL_ENDOFINFO: "End of INFO list",
    numerics.RPL_ENDOFMOTD: "End of MOTD command",
    numerics.RPL_YOUREOPER: "You are now an IRC operator",
    numerics.RPL_REHASHING: "Rehashing",
    numerics.RPL_USERSSTART: "UserID   Terminal  Host",
    numerics.RPL_ENDOFUSERS: "End of users",
    numerics.RPL_NOUSERS: "Nobody logged in",
    numerics.RPL_HOSTHIDDEN: "is now your displayed host",
    numerics.ERR_NOSUCHNICK: "No such nick/channel",
    numerics.ERR_NOSUCHSERVER: "No such server",
    numerics.ERR_NOSUCHCHANNEL: "No such channel",
    numerics.ERR_CANNOTSENDTOCHAN: "Cannot send to channel",
    numerics.ERR_TOOMANYCHANNELS: "You have joined too many channels",
    numerics.ERR_WASNOSUCHNICK: "There was no such nickname",
    numerics.ERR_NOSUCHSERVICE: "No such service",
    numerics.ERR_NOORIGIN: "No origin specified",
    numerics.ERR_INVALIDCAPCMD: "Invalid CAP command",
    numerics.ERR_NOTEXTTOSEND: "No text to send",
    numerics.ERR_NOTOPLEVEL: "No toplevel domain specified",
    numerics.ERR_WILDTOPLEVEL: "Wildcard in toplevel domain",
    numerics.ERR_BADMASK: "Bad Server/host mask",
    numerics.ERR_INPUTTOOLONG: "Input line was too long",
    numerics.ERR_UNKNOWNCOMMAND: "Unknown command",
    numerics.ERR_NOMOTD: "MOTD File is missing",
    numerics.ERR_NOADMININFO: "No administrative info available",
    numerics.ERR_NONICKNAMEGIVEN: "No nickname given",
    numerics.ERR_ERRONEUSNICKNAME: "Erroneous nickname",
    numerics.ERR_NICKNAMEINUSE: "Nickname is already in use",
    numerics.ERR_UNAVAILRESOURCE: "Nick/channel is temporarily unavailable",
    numerics.ERR_USERNOTINCHANNEL: "They aren't on that channel",
    numerics.ERR_NOTONCHANNEL: "You're not on that channel",
    numerics.ERR_USERONCHANNEL: "is already on channel",
    numerics.ERR_NOLOGIN: "User not logged in",
    numerics.ERR_SUMMONDISABLED: "SUMMON has been disabled",
    numerics.ERR_USERSDISABLED: "USERS has been disabled",
    numerics.ERR_NOTREGISTERED: "You have not registered",
    numerics.ERR_NEEDMOREPARAMS: "Not enough parameters",
    numerics.ERR_ALREADYREGISTRED: "Unauthorized command (already registered)",
    numerics.ERR_NOPERMFORHOST: "Your host isn't among the privileged",
    numerics.ERR_PASSWDMISMATCH: "Password incorrect",
    numerics.ERR_YOUREBANNEDCREEP: "You are banned from this server",
    numerics.ERR_KEYSET: "Channel key already set",
    numerics.ERR_CHANNELISFULL: "Cannot join channel (+l)",
    numerics.ERR_INVITEONLYCHAN: "Cannot join channel (+i)",
    numerics.ERR_BANNEDFROMCHAN: "Cannot join channel (+b)",
    numerics.ERR_BADCHANNELKEY: "Cannot join channel (+k)",
    numerics.ERR_BADCHANMASK: "Bad Channel Mask",
    numerics.ERR_NOCHANMODES: "Channel doesn't support modes",
    numerics.ERR_BANLISTFULL: "Channel list is full",
    numerics.ERR_NOPRIVILEGES: "Permission Denied- You're not an IRC operator",
    numerics.ERR_CHANOPRIVSNEEDED: "You're not channel operator",
    numerics.ERR_CANTKILLSERVER: "You can't kill a server!",
    numerics.ERR_RESTRICTED: "Your connection is restricted!",
    numerics.ERR_UNIQOPPRIVSNEEDED: "You're not the original channel operator",
    numerics.ERR_NOOPERHOST: "No O-lines for your host",
    numerics.ERR_UMODEUNKNOWNFLAG: "Unknown MODE flag",
    numerics.ERR_USERSDONTMATCH: "Cannot change mode for other users",
    numerics.ERR_HELPNOTFOUND: "No help available on this topic",
    numerics.ERR_INVALIDKEY: "Key is not well-formed",
    numerics.RPL_STARTTLS: "STARTTLS successful, proceed with TLS handshake",
    numerics.RPL_WHOISSECURE: "is using a secure connection",
    numerics.ERR_STARTTLS: "STARTTLS failed",
    numerics.ERR_NOPRIVS: "Insufficient oper privileges.",
    numerics.RPL_ENDOFMONLIST: "End of MONITOR list",
    numerics.ERR_MONLISTFULL: "Monitor list is full",
    numerics.RPL_LOGGEDOUT: "You are now logged out",
    numerics.ERR_NICKLOCKED: "You must use a nick assigned to you",
    numerics.RPL_SASLSUCCESS: "SASL authentication successful",
    numerics.ERR_SASLFAIL: "SASL authentication failed",
    numerics.ERR_SASLTOOLONG: "SASL message too long",
    numerics.ERR_SASLABORTED: "SASL authentication aborted",
    numerics.ERR_SASLALREADY: "You have already authenticated using SASL",
    numerics.RPL_SASLMECHS: "are available SASL mechanisms",
}


def numeric_reply(number: int, nick: str | None, *params: Any, text: str | None = None, prefix: str | None) -> Message:
    """Make the reply with a number.

    Args:
        number: one of those in `numerics`.
        nick: whom it is for; None for somebody who has no nick yet.
        params: what stands between the nick and the text.
        text: the last parameter; that of the RFC if there is one and this is None.
        prefix: the name of the server.

    Raises:
        LocalProtocolError: a parameter would make this another message, or more than one.
    """
    return Message(number, nick or "*", *params, TEXTS.get(number) if text is None else text, prefix=prefix)
