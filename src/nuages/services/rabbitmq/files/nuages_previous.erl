%% Lets a user in by a password before the present one, as long as that serves: asked when the broker's own table of
%% users has refused. The file `previous` has terms {User, hexadecimal SHA-256 of the password, second of its end}.
-module(nuages_previous).
-export([user_login_authentication/2]).

user_login_authentication(Name, Properties) ->
    Terms = case file:consult(filename:join(os:getenv("HOME"), "previous")) of
        {ok, Found} -> Found;
        {error, _} -> []
    end,
    Now = erlang:system_time(second),
    Given = case lists:keyfind(password, 1, Properties) of
        {password, Password} when is_binary(Password) -> digest(Password);
        _ -> none
    end,
    case [User || {User, Digest, Until} <- Terms, User =:= Name, Digest =:= Given, Now < Until] of
        %% The record auth_user of rabbit_common: the user's tags and rights come from the broker's table.
        [_ | _] -> {ok, {auth_user, Name, [], none}};
        [] -> {refused, "user '~s' - no password before the present one serves", [Name]}
    end.

digest(Password) ->
    list_to_binary([io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= crypto:hash(sha256, Password)]).
